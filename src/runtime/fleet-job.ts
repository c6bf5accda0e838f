import type { Place } from '../events/application.ts';
import type { NewJob } from '../store/store.ts';

/** Several things happen to a service at once: it is looked at after them. */
const PAUSE_MS = 1_000;

/** What the applications of a service are found by, and its row. */
export function fleetKey({ project, service }: Pick<Place, 'project' | 'service'>): string {
  return `${project}/${service}`;
}

/** Work that brings the row of a service up to date; the place is where something happened. */
export function fleetJob(place: Place): NewJob {
  const { project, stage, service } = place;
  return { queue: 'fleet', key: fleetKey(place), payload: { project, stage, service }, delayMs: PAUSE_MS };
}
