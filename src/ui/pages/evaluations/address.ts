import type { EvaluatedPlace } from '../../../views/evaluations.ts';

/** What the address of the screen says besides the place. */
export interface EvaluationsQuery {
  /** Id of the evaluation that is shown in detail; absent: the newest. */
  e?: string;
  /** Key of the objective that is looked at. */
  sli?: string;
  view: 'heat' | 'line';
  /** How many evaluations are looked at. */
  last: number;
  /** Where an older page begins. */
  before?: string;
  /** Only those from this day on, `2026-11-19`. */
  from?: string;
}

export const DEFAULT_LAST = 60;
/** What can be asked for at once; more than 60 share columns. */
export const LASTS = [60, 250, 1000] as const;

/** The query of the screen, with what is not as usual. */
export function evaluationsQuery(project: string, query: Partial<EvaluationsQuery>): string {
  const { e, sli, view, last, before, from } = query;
  const said = new URLSearchParams({ project });
  if (e !== undefined) said.set('e', e);
  if (sli !== undefined) said.set('sli', sli);
  if (view === 'line') said.set('view', view);
  if (last !== undefined && last !== DEFAULT_LAST) said.set('last', String(last));
  if (before !== undefined) said.set('before', before);
  if (from !== undefined) said.set('from', from);
  return `?${said}`;
}

/** The whole address of the evaluations of a place. */
export function evaluationsAddress(
  { project, stage, service }: EvaluatedPlace,
  query: Partial<EvaluationsQuery> = {},
): string {
  return `/evaluations/${encodeURIComponent(service)}/${encodeURIComponent(stage)}${evaluationsQuery(project, query)}`;
}
