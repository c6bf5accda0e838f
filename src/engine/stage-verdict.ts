import type { Result } from '../events/types.ts';

/** A verdict on what ran in a stage, of a change or asked for beside one. */
export interface StageVerdict {
  /** Of a change's own evaluation the id of its task. */
  id: string;
  context: string;
  revision?: string;
  result: Result;
  /** ISO 8601. */
  at: string;
  score?: number;
  /** It counts no more. */
  invalidated?: { actor: string; reason: string };
}
