import { isJsonObject, type JsonObject } from '../../base/json.ts';
import type { Hydration, Source } from '../../events/application.ts';
import { array, object, objects, optional, text, time } from './go-json.ts';

/** What was found at a set of sources: by source only where there are several. */
export interface Revisions {
  revision?: string;
  revisions?: string[];
}

/** All sources in the order of the spec; of a hydrated application the one that is synced. */
export function sourcesOf(spec: JsonObject): Source[] {
  const several = objects(spec['sources']);
  if (several.length > 0) return several.map(sourceOf);
  if (isJsonObject(spec['source'])) return [sourceOf(spec['source'])];
  if (isJsonObject(spec['sourceHydrator'])) return [hydratedSourceOf(spec['sourceHydrator'])];
  return [];
}

/** Whose revision names a change: the first source that is Git and more than values for others, else the first. */
export function leadingAt(sources: readonly Source[]): number {
  return Math.max(
    0,
    sources.findIndex(({ kind, ref }) => (kind ?? 'git') === 'git' && ref === undefined),
  );
}

/**
 * The revisions in `status.sync`, a `syncResult` or an entry of the history. Several sources fill
 * `revisions` and leave the singular empty or out. Who names sources of its own is read by those: the
 * spec may have changed since.
 */
export function revisionsIn(holder: JsonObject, specified: readonly Source[]): Revisions {
  const own = objects(holder['sources']).map(sourceOf);
  const sources = own.length > 0 ? own : specified;
  const revisions = array(holder['revisions']).map((revision) => text(revision) ?? '');
  if (sources.length < 2 || revisions.length === 0) {
    return optional('revision', text(holder['revision']) ?? text(revisions[0]));
  }
  return { ...optional('revision', text(revisions[leadingAt(sources)])), revisions };
}

/**
 * What Git asks for: nothing as long as one of the sources is not resolved, or the spec has just changed. Where
 * Argo CD could not compare (Git out of reach, a path or manifests that do not exist), `revision` is the name of the
 * branch, not a commit.
 */
export function targetIn(sync: JsonObject, sources: readonly Source[]): Revisions {
  if (sync['status'] === 'Unknown') return {};
  const found = revisionsIn(sync, sources);
  if (sources.length < 2) return found;
  const complete = found.revisions?.length === sources.length && !found.revisions.includes('');
  return complete ? found : {};
}

/** What the hydrator is at; absent where there is none. */
export function hydrationOf(spec: JsonObject, status: JsonObject): Hydration | undefined {
  if (!isJsonObject(spec['sourceHydrator'])) return undefined;
  const hydrator = spec['sourceHydrator'];
  const state = object(status['sourceHydrator']);
  const [current, last] = [object(state['currentOperation']), object(state['lastSuccessfulOperation'])];
  const phase = phaseOf(current, last);
  const operation = current['phase'] === undefined ? last : current;
  return {
    phase,
    ...optional('drySha', text(operation['drySHA'])),
    ...(phase === 'Hydrated' ? optional('hydratedSha', text(operation['hydratedSHA'])) : {}),
    ...optional('last', lastOf(last)),
    ...optional('message', reasonIn(text(current['message']))),
    branch: hydratedSourceOf(hydrator).targetRevision,
    ...optional('hydrateTo', text(object(hydrator['hydrateTo'])['targetBranch'])),
    dry: sourceOf(object(hydrator['drySource'])),
  };
}

function lastOf(operation: JsonObject): Hydration['last'] {
  const [drySha, hydratedSha] = [text(operation['drySHA']), text(operation['hydratedSHA'])];
  return drySha === undefined || hydratedSha === undefined ? undefined : { drySha, hydratedSha };
}

/** Why it failed stands behind the steps that led there: `Failed to hydrate: failed to ...: rpc error: ... desc = why`. */
function reasonIn(message: string | undefined): string | undefined {
  return message?.slice(message.lastIndexOf(' desc = ') + 1).replace(/^(?:desc = |Failed to hydrate: )/, '');
}

/** A phase that we do not know is no success. */
function phaseOf(current: JsonObject, last: JsonObject): Hydration['phase'] {
  const phase = current['phase'];
  if (phase === 'Hydrating' || phase === 'Hydrated' || phase === 'Failed') return phase;
  if (phase === undefined) return text(last['hydratedSHA']) === undefined ? 'Hydrating' : 'Hydrated';
  return time(current['finishedAt']) === undefined ? 'Hydrating' : 'Failed';
}

function sourceOf(source: JsonObject): Source {
  const repoUrl = text(source['repoURL']) ?? '';
  const [path, chart, ref] = [text(source['path']), text(source['chart']), text(source['ref'])];
  const kind: Source['kind'] = chart !== undefined ? 'helm' : repoUrl.startsWith('oci://') ? 'oci' : undefined;
  return {
    repoUrl,
    path: path ?? '',
    targetRevision: text(source['targetRevision']) ?? 'HEAD',
    ...optional('kind', kind),
    ...optional('chart', chart),
    // With a path it is rendered like any other, besides lending its files.
    ...(path === undefined && chart === undefined ? optional('ref', ref) : {}),
  };
}

/** What is synced is the hydrated branch; all its revisions are commits of that branch. */
function hydratedSourceOf(hydrator: JsonObject): Source {
  const [dry, synced] = [object(hydrator['drySource']), object(hydrator['syncSource'])];
  return {
    repoUrl: text(synced['repoURL']) ?? text(dry['repoURL']) ?? '',
    path: text(synced['path']) ?? '',
    targetRevision: text(synced['targetBranch']) ?? '',
  };
}
