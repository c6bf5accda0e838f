import type { JsonObject } from '../../base/json.ts';
import type { Source } from '../../events/application.ts';
import { OCI_REPOSITORY, sourceRefOf } from './flux-kinds.ts';
import { type Artifact, artifactOf, pinOf, revisionId, toSource } from './flux-source.ts';
import { nameOf, objectAt, optional, partsOf, textAt } from './kubernetes-object.ts';

/** The sources of an application, and how an id of what Flux fetched becomes its revisions by source. */
export interface Ladder {
  /** The leading one first: Git, wherever a commit is known. */
  sources: Source[];
  /** What is asked for now, by source. */
  offered?: string[];
  /** `undefined` where the commit that an artifact was made of is not known. */
  lift(id: string, origin?: string): string[] | undefined;
}

/**
 * @param followed the source that tells what Git asks for
 * @param source the one that is applied from; another one only behind a gate
 */
export function ladderOfKustomization(
  object: JsonObject,
  followed: JsonObject | undefined,
  source: JsonObject | undefined,
): Ladder {
  const { spec, status } = partsOf(object);
  const artifacts = [artifactOf(followed), artifactOf(source)].filter((one) => one !== undefined);
  const kind = sourceRefOf(spec['sourceRef'], '')?.kind;
  const path = textAt(spec['path']) ?? '';
  const own = toSource(followed, kind === undefined || kind === OCI_REPOSITORY ? 'oci' : 'git', path);
  // Of a bucket we know only what was made of it.
  const offered = followed || kind ? artifactOf(followed) : unread(status);
  return withOrigin(own, offered, artifacts, path);
}

function unread(status: JsonObject): Artifact | undefined {
  const revision = revisionId(status['lastAttemptedRevision']);
  return revision === undefined ? undefined : { revision };
}

/** An OCI artifact that says which commit it was made of leads back to Git, where the files of a team are. */
function withOrigin(own: Source, offered: Artifact | undefined, artifacts: readonly Artifact[], path: string): Ladder {
  const origin = artifacts.find((artifact) => artifact.origin)?.origin;
  if (own.kind !== 'oci' || !origin) {
    return { sources: [own], ...optional('offered', offered && [offered.revision]), lift: (id) => [id] };
  }
  const lift = (id: string, commit?: string) => {
    const known = commit ?? artifacts.find(({ revision }) => revision === id)?.origin?.commit;
    return known === undefined ? undefined : [known, id];
  };
  return {
    sources: [
      { repoUrl: origin.repoUrl, path: '', targetRevision: own.targetRevision },
      { ...own, path },
    ],
    ...optional('offered', offered && lift(offered.revision)),
    lift,
  };
}

/**
 * Whether the object itself says which chart it wants, to the version or digest: where it comes from Git, its
 * commit says all. A range or a tag moves by itself.
 */
export function isChartPinned(object: JsonObject, source: JsonObject | undefined): boolean {
  const { spec } = partsOf(object);
  if (spec['chartRef'] !== undefined) return source !== undefined && pinOf(source) !== undefined;
  const chart = objectAt(objectAt(spec['chart'])['spec']);
  return objectAt(chart['sourceRef'])['kind'] === 'HelmRepository' && isExact(textAt(chart['version']) ?? '*');
}

/** The chart of a HelmRelease, without the Git repository that the HelmRelease itself comes from. */
export function ladderOfChart(object: JsonObject, followed: JsonObject | undefined): Ladder {
  const { spec, status } = partsOf(object);
  if (spec['chartRef'] !== undefined) {
    const offered = followed ? artifactOf(followed)?.revision : attemptedChart(status);
    const own = toSource(followed, 'oci', '');
    return {
      sources: [own],
      ...optional('offered', offered === undefined ? undefined : [offered]),
      lift: (id) => [id],
    };
  }
  const chart = objectAt(objectAt(spec['chart'])['spec']);
  const repository = objectAt(chart['sourceRef']);
  const version = textAt(chart['version']) ?? '*';
  const offered = isChartPinned(object, undefined) ? version : attemptedChart(status);
  return {
    sources: [
      {
        repoUrl: `${textAt(repository['kind']) ?? 'HelmRepository'}/${textAt(repository['name']) ?? ''}`,
        path: '',
        targetRevision: version,
        kind: 'helm',
        ...optional('chart', textAt(chart['chart'])),
      },
    ],
    ...optional('offered', offered === undefined ? undefined : [offered]),
    lift: (id) => [id],
  };
}

function attemptedChart(status: JsonObject): string | undefined {
  return revisionId(status['lastAttemptedRevisionDigest']) ?? revisionId(status['lastAttemptedRevision']);
}

/** A range says only what Flux may choose from. */
function isExact(version: string): boolean {
  return /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/.test(version);
}

/** Where an object names the source that it is applied from. */
export function ownSourceRef(object: JsonObject) {
  const { spec } = partsOf(object);
  return sourceRefOf(spec['sourceRef'] ?? spec['chartRef'], nameOf(object).namespace);
}
