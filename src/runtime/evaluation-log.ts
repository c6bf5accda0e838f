import { newId } from '../base/ids.ts';
import { inGit } from '../engine/in-git.ts';
import { finishedTask } from '../engine/sequence.ts';
import type { Place } from '../events/application.ts';
import { evaluationFromEnvelope, toEnvelope } from '../events/codec.ts';
import type { EvaluationEvent, EvaluationTriggered } from '../events/types.ts';
import type { NewEvent, NewJob, Store } from '../store/store.ts';
import { type EvaluationState, foldEvaluation } from '../views/evaluation-document.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';

export function evaluationStream(id: string): string {
  return `evaluation/${id}`;
}

export function evaluateJob(id: string): NewJob {
  return { queue: 'evaluate', key: id, payload: { evaluation: id } };
}

/** The evaluation out of its log; one of a change has no beginning there. */
export async function loadEvaluation(store: Store, id: string): Promise<{ state: EvaluationState; version: number }> {
  const events = await store.readStream(evaluationStream(id));
  const known = events.map(evaluationFromEnvelope).filter((event) => event !== undefined);
  return { state: foldEvaluation(known), version: events.at(-1)?.version ?? 0 };
}

export function toNewEvent(id: string, event: EvaluationEvent): NewEvent {
  return { id: newId(), source: 'lynceus', subject: id, ...toEnvelope(event) };
}

export function isConflict(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConflictError';
}

/** How many of the newest sequences of a place are looked through for one that was deployed. */
const LOOK_BACK = 50;

/** Where the newest deployment of a place has its files; before the first one, those of the change on its way. */
export async function whereabouts(
  store: Store,
  place: Place,
): Promise<NonNullable<EvaluationTriggered['files']> | undefined> {
  const rows = await store.documents({
    kind: 'sequence',
    project: place.project,
    stage: place.stage,
    service: place.service,
    limit: LOOK_BACK,
  });
  const states = rows.map((row) => sequenceFromRow(row.data));
  const deployed = states.find((state) => finishedTask(state, 'sync')?.result === 'pass');
  const triggered = (deployed ?? states[0])?.triggered;
  if (!triggered) return undefined;
  const { repository, path, revision } = inGit(triggered);
  const { deliveryFile } = triggered;
  return { repoUrl: repository.url, path, revision, ...(deliveryFile === undefined ? {} : { deliveryFile }) };
}
