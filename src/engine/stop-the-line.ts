import { clip } from '../base/clip.ts';
import type { Place } from '../events/application.ts';

/** Somebody stopped everything, or what is below: nothing new is deployed or promoted there until it goes on. */
export interface LineStop {
  id: string;
  /** ISO 8601. */
  at: string;
  actor: string;
  reason: string;
  /** Absent: all projects. */
  project?: string;
  /** Absent: all stages. */
  stage?: string;
}

/** The stop that keeps a place from being changed, the widest first. */
export function stopFor(stops: readonly LineStop[], place: Pick<Place, 'project' | 'stage'>): LineStop | undefined {
  const meant = stops.filter(
    ({ project, stage }) =>
      (project === undefined || project === place.project) && (stage === undefined || stage === place.stage),
  );
  const width = ({ project, stage }: LineStop) => Number(project !== undefined) + Number(stage !== undefined);
  return meant.toSorted((a, b) => width(a) - width(b) || a.at.localeCompare(b.at))[0];
}

/** What is stopped, by whom and why, at most 90 characters. */
export function sayStop(stop: LineStop): string {
  return clip(`${scopeOf(stop)} was stopped by ${stop.actor}: ${stop.reason}`);
}

/** `the line`, `the line to production`, `the line of shop to production`. */
export function scopeOf({ project, stage }: Pick<LineStop, 'project' | 'stage'>): string {
  return `the line${project === undefined ? '' : ` of ${project}`}${stage === undefined ? '' : ` to ${stage}`}`;
}
