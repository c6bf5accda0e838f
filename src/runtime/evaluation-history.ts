import { fileUrl } from '../answers/facts/commit-url.ts';
import { inGit } from '../engine/in-git.ts';
import type { Place } from '../events/application.ts';
import type { Document, Store } from '../store/store.ts';
import { type EvaluationView, evaluationView } from '../views/evaluation-document.ts';
import { type HeatMap, heatMap } from '../views/evaluations.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import { loadEvaluation } from './evaluation-log.ts';

export interface EvaluationHistoryQuery extends Place {
  /** At most 1000. */
  limit: number;
  /** Only those that come after this one in the list, as `older` said it. */
  before?: { sort: number; id: string };
  /** Only those that were finished from then on. */
  since?: Date;
}

export interface EvaluationHistory {
  /** The newest first. */
  views: EvaluationView[];
  /** Where the older ones begin; absent: there are none. */
  older?: { sort: number; id: string };
}

/**
 * The newest evaluations of a place. One index is read, from where the page begins and no further: it does not matter
 * how many there are.
 */
export async function readEvaluationHistory(store: Store, query: EvaluationHistoryQuery): Promise<EvaluationHistory> {
  const { project, stage, service, limit, before, since } = query;
  const page = {
    kind: 'evaluation',
    project,
    stage,
    service,
    limit,
    ...(before === undefined ? {} : { after: before }),
  };
  const rows = await store.documents(page);
  const from = since?.getTime() ?? Number.NEGATIVE_INFINITY;
  const wanted = rows.filter(({ sort }) => sort >= from);
  const last = wanted.at(-1);
  const isCut = wanted.length < rows.length || rows.length < limit;
  return {
    views: await withInvalidations(store, wanted),
    ...(last === undefined || isCut ? {} : { older: { sort: last.sort, id: last.id } }),
  };
}

/** Those evaluations as a heat map, in at most so many columns. */
export async function readHeatMap(
  store: Store,
  { maxColumns, ...query }: EvaluationHistoryQuery & { maxColumns: number },
): Promise<EvaluationHistory & { map: HeatMap }> {
  const history = await readEvaluationHistory(store, query);
  return { ...history, map: heatMap(history.views, maxColumns) };
}

/** One evaluation, wherever it belongs. */
export async function readEvaluation(store: Store, id: string): Promise<EvaluationView | undefined> {
  const row = await store.document('evaluation', id);
  if (!row) return undefined;
  const [view] = await withInvalidations(store, [row]);
  return view;
}

async function withInvalidations(store: Store, rows: readonly Document[]): Promise<EvaluationView[]> {
  const contexts = [...new Set(rows.flatMap(({ context }) => context ?? []))];
  const found =
    contexts.length === 0 ? [] : await store.documents({ kind: 'invalidation', context: contexts, limit: 1000 });
  const byId = new Map(found.map((row) => [row.id, row]));
  return rows.map((row) => evaluationView({ ...row, status: row.status ?? '' }, byId.get(row.id)));
}

/** A file by which an evaluation was judged, with its page at the Git host where that is known. */
export interface JudgedBy {
  path: string;
  url?: string;
}

/** A change is in each stage once, or a few times. */
const MAX_SEQUENCES = 50;

/** The files that an evaluation was judged by; empty where nobody wrote them down. */
export async function readJudgedBy(store: Store, { id, context, files }: EvaluationView): Promise<JudgedBy[]> {
  if (files !== undefined && files.length > 0) {
    const where = (await loadEvaluation(store, id)).state.triggered?.files;
    return files.map(({ path }) => judgedBy(path, where?.repoUrl, where?.revision));
  }
  const rows = await store.documents({ kind: 'sequence', context: [context], limit: MAX_SEQUENCES });
  const state = rows.map(({ data }) => sequenceFromRow(data)).find(({ tasks }) => tasks.some((task) => task.id === id));
  if (state?.triggered === undefined) return [];
  const { repository, revision } = inGit(state.triggered);
  return (state.plan?.files ?? []).map(({ path }) => judgedBy(path, repository.url, revision));
}

function judgedBy(path: string, repoUrl: string | undefined, revision: string | undefined): JudgedBy {
  const url = repoUrl === undefined || revision === undefined ? undefined : fileUrl(repoUrl, revision, path);
  return { path, ...(url === undefined ? {} : { url }) };
}
