import type { JsonObject } from '../../base/json.ts';
import type { Source } from '../../events/application.ts';
import { parseFluxRevision } from '../../events/flux-revision.ts';
import { objectAt, optional, partsOf, stringsAt, textAt } from './kubernetes-object.ts';

/** What Flux writes into an artifact that `flux push artifact` made: which commit it was made of. */
const ORIGIN = 'org.opencontainers.image.source';
const ORIGIN_REVISION = 'org.opencontainers.image.revision';

/** What a source offers: the identity of its artifact, and the commit that it was made of where that is another. */
export interface Artifact {
  /** Commit of a GitRepository, digest of an OCIRepository. */
  revision: string;
  origin?: { repoUrl: string; commit: string };
}

/** A revision of Flux as one of ours: the commit, the digest or the version. Never a guess. */
export function revisionId(text: unknown): string | undefined {
  const revision = typeof text === 'string' ? parseFluxRevision(text) : undefined;
  switch (revision?.kind) {
    case 'commit':
      return revision.commit;
    case 'digest':
      return revision.digest;
    case 'version':
      return revision.version;
    default:
      return undefined;
  }
}

/** The artifact of a source as it is now; `undefined` until one was fetched. */
export function artifactOf(source: JsonObject | undefined): Artifact | undefined {
  if (!source) return undefined;
  const artifact = objectAt(partsOf(source).status['artifact']);
  const revision = revisionId(artifact['revision']);
  if (revision === undefined) return undefined;
  const metadata = stringsAt(artifact['metadata']);
  const [repoUrl, commit] = [metadata[ORIGIN], revisionId(metadata[ORIGIN_REVISION])];
  return { revision, ...(repoUrl && commit ? { origin: { repoUrl, commit } } : {}) };
}

/** What the source is pinned to by its spec: a commit, or a digest. */
export function pinOf(source: JsonObject): string | undefined {
  const ref = objectAt(partsOf(source).spec['ref']);
  return textAt(ref['commit']) ?? textAt(ref['digest']);
}

export function isSuspended(object: JsonObject): boolean {
  return partsOf(object).spec['suspend'] === true;
}

/** A GitRepository or OCIRepository as a source of an application. */
export function toSource(source: JsonObject | undefined, kind: Source['kind'], path: string): Source {
  const spec = source ? partsOf(source).spec : {};
  const ref = objectAt(spec['ref']);
  const target = ['branch', 'name', 'tag', 'semver'].map((key) => textAt(ref[key])).find((one) => one !== undefined);
  return {
    repoUrl: textAt(spec['url']) ?? '',
    path: withoutDot(path),
    targetRevision: target ?? (kind === 'git' ? 'master' : 'latest'),
    ...optional('kind', kind === 'git' ? undefined : kind),
  };
}

/** `./deploy/` is `deploy` elsewhere, and `./` nothing at all. */
export function withoutDot(path: string): string {
  return path
    .replace(/^\.?\/+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '');
}
