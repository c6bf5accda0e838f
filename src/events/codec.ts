import type { JsonObject } from '../base/json.ts';
import { type EvaluationEvent, eventName, eventType, type SequenceEvent } from './types.ts';

/** What of a stored event says which of ours it is. */
export interface Envelope {
  type: string;
  time: string;
  data: JsonObject;
}

const SEQUENCE_EVENTS: ReadonlySet<string> = new Set<SequenceEvent['name']>([
  'sequence.triggered',
  'sequence.started',
  'task.triggered',
  'task.waiting',
  'task.finished',
  'decision.made',
  'sequence.finished',
]);

const EVALUATION_EVENTS: ReadonlySet<string> = new Set<EvaluationEvent['name']>([
  'evaluation.triggered',
  'evaluation.finished',
  'evaluation.invalidated',
  'evaluation.restored',
]);

/** Our event as the log keeps it. */
export function toEnvelope(event: SequenceEvent | EvaluationEvent): Envelope {
  return { type: eventType(event.name), time: event.at, data: event.data as unknown as JsonObject };
}

/** The sequence event in an envelope; `undefined` for anything else, so that old and new versions can read each other's logs. */
export function fromEnvelope({ type, time, data }: Envelope): SequenceEvent | undefined {
  const name = eventName(type);
  if (name === undefined || !SEQUENCE_EVENTS.has(name)) return undefined;
  return { name, at: time, data } as unknown as SequenceEvent;
}

/** The event of an evaluation in an envelope; `undefined` for anything else. */
export function evaluationFromEnvelope({ type, time, data }: Envelope): EvaluationEvent | undefined {
  const name = eventName(type);
  if (name === undefined || !EVALUATION_EVENTS.has(name)) return undefined;
  return { name, at: time, data } as unknown as EvaluationEvent;
}
