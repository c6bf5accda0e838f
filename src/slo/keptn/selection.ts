import type { Comparison } from '../evaluation.ts';

/** How many earlier evaluations Keptn asks for. A comparison without a known `compare_with` means 3, whatever it says. */
export function previousResultsLimit(compareWith: string, number: number): number {
  if (compareWith === 'single_result') return 1;
  return compareWith === 'several_results' ? number : 3;
}

/** A word that Keptn does not know includes all. */
export function includeOf(word: string): Comparison['include'] {
  const include = word.toLowerCase();
  return include === 'pass' || include === 'pass_or_warn' ? include : 'all';
}

/** Of evaluations, newest first, those that are compared with; what counts is the overall result. No limit below 1. */
export function selectEarlier<T extends { result: string }>(
  newestFirst: readonly T[],
  { include, count }: Pick<Comparison, 'include' | 'count'>,
): T[] {
  const counted = newestFirst.filter(
    ({ result }) => include === 'all' || result === 'pass' || (include === 'pass_or_warn' && result === 'warning'),
  );
  return count > 0 ? counted.slice(0, count) : counted;
}

export interface StoredEvent {
  id: string;
  time: string;
  type: string;
  triggeredid: string;
  data: { project: string; stage: string; service: string; result?: string };
}

/** The earlier evaluations of a place, newest first, without those that were invalidated; who sent them does not matter. */
export function earlierOfPlace(
  events: readonly StoredEvent[],
  place: { project: string; stage: string; service: string },
  invalidatedTriggeredIds: readonly string[],
): StoredEvent[] {
  return events
    .filter(
      ({ type, triggeredid, data }) =>
        type === 'sh.keptn.event.evaluation.finished' &&
        data.project === place.project &&
        data.stage === place.stage &&
        data.service === place.service &&
        !invalidatedTriggeredIds.includes(triggeredid),
    )
    .sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
}
