import type { JsonObject } from '../base/json.ts';

/** What one pre-deploy check says, with its reasons. `unknown`: it could not be judged, which is never a pass. */
export interface CheckAnswer {
  check: 'error-budget' | 'risk' | 'window';
  answer: 'pass' | 'needs-approval' | 'deny' | 'unknown';
  /** One sentence each, with the number and the limit. */
  reasons: string[];
  figures: JsonObject;
  /** When asking again makes sense, ISO 8601: e.g. when the window opens. */
  askAgainAt?: string;
  /** How many people must agree; the stage may ask for more. */
  approval?: { quorum: number };
  /** How long the change must run at least before it is promoted; the stage may ask for more. */
  soakMs?: number;
}
