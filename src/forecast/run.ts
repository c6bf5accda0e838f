import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { StepRecord } from './step-record.ts';

/** One change in one stage, or its way through CI: its steps and what came of them. Times are ISO 8601. */
export interface Run {
  /** Of the sequence; of the reports of CI one of their own. */
  id: string;
  change: string;
  project: string;
  service: string;
  team?: string;
  stage: string;
  startedAt: string;
  /** Absent: it is under way. */
  endedAt?: string;
  outcome: 'open' | StepRecord['outcome'];
  /** When the new version ran there, whatever was found out about it later. Absent: it never did. */
  deployedAt?: string;
  /** Present: no change, but the way back; of the sequence that is named, where it is known. */
  back?: { of?: string };
  /** The stage was taken back within this very run. */
  wentBack?: true;
  /** In the order in which they ended. Finished ones only. */
  steps: RunStep[];
}

export type RunStep = Omit<StepRecord, 'change' | 'project' | 'service' | 'team' | 'stage'>;

/** The records of a run, each complete by itself. */
export function stepRecordsOf({ change, project, service, team, stage, steps }: Run): StepRecord[] {
  return steps.map((step) => ({
    ...{ change, project, service, stage },
    ...(team === undefined ? {} : { team }),
    ...step,
  }));
}

/** Where a run stands in lists that have the newest first: when it last moved, in milliseconds since 1970. */
export function movedAt({ startedAt, endedAt, steps }: Run): number {
  const last = steps.at(-1)?.endedAt ?? startedAt;
  return Date.parse(endedAt !== undefined && endedAt > last ? endedAt : last);
}

/** What a document of a run holds besides its columns. */
export function runData({ team, startedAt, endedAt, deployedAt, back, wentBack, steps }: Run): JsonObject {
  return JSON.parse(JSON.stringify({ team, startedAt, endedAt, deployedAt, back, wentBack, steps })) as JsonObject;
}

/** The run back out of its document; undefined when that does not hold one. */
export function runFromDocument(row: {
  id: string;
  project?: string;
  stage?: string;
  service?: string;
  context?: string;
  status?: string;
  data: JsonObject;
}): Run | undefined {
  const { id, project, stage, service, context, status, data } = row;
  if (project === undefined || stage === undefined || service === undefined || context === undefined) return undefined;
  if (!Array.isArray(data['steps']) || typeof data['startedAt'] !== 'string') return undefined;
  if (!data['steps'].every((step) => isJsonObject(step) && typeof step['step'] === 'string')) return undefined;
  const known = data as unknown as Pick<Run, 'startedAt' | 'steps'>;
  return { ...known, id, project, stage, service, change: context, outcome: (status ?? 'open') as Run['outcome'] };
}
