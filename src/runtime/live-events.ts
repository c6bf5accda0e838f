import type { LiveTopic } from './live-topic.ts';
import type { LiveEvent, LivePage, LiveRow } from './live-types.ts';

/** What is there has to be read again. */
export function wholly({ kind, name }: LiveTopic): LiveEvent {
  return kind === 'changes' ? { name: 'reset', data: { topic: name } } : { name: 'changed', data: { topic: name } };
}

/** `left`: the filter of the list leaves it. */
export function rowEvent(row: LiveRow, { name }: LiveTopic, left: boolean): LiveEvent {
  return { name: 'row', data: { topic: name, ...row, ...(left ? {} : { gone: true }) } };
}

/** `updated`: so many rows are waiting for their turn. */
export function facetsEvent({ name }: LiveTopic, page: Partial<LivePage>, updated: number): LiveEvent {
  return { name: 'facets', data: { topic: name, ...page, updated } };
}
