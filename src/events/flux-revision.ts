/** What a revision of Flux says, whichever of its formats it has. */
export type FluxRevision =
  /** Of Git: `main@sha1:<40 hex>`, `sha1:<40 hex>`, and as Flux 0.x wrote it: `main/<40 hex>`, `<40 hex>`. */
  | { kind: 'commit'; commit: string; name?: string }
  /** Of an OCI artifact (`latest@sha256:<64 hex>`) or a bucket (`sha256:<64 hex>`). */
  | { kind: 'digest'; digest: string; name?: string }
  /** Of a chart: `6.6.1`, `6.6.1+0cc9a8446c95`; behind the plus the first 12 characters of where it comes from. */
  | { kind: 'version'; version: string; build?: string };

const LENGTHS: Readonly<Record<string, number>> = { sha1: 40, sha256: 64, sha384: 96, sha512: 128 };
const MAX_CHARS = 1_000;
/** Names hold `/` and `@`: what counts is the last `@`. */
const WITH_ALGORITHM = /^(?:(.+)@)?([a-z0-9]+):([0-9a-f]+)$/;
const LEGACY = /^(?:(.+)\/)?([0-9a-f]{40}|[0-9a-f]{64})$/;
const VERSION = /^v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+([0-9A-Za-z.-]+))?$/;

/** Reads a revision of Flux; `undefined` for what has none of its formats: never guess a commit. */
export function parseFluxRevision(text: string): FluxRevision | undefined {
  if (text.length > MAX_CHARS) return undefined;
  return withAlgorithm(text) ?? legacy(text) ?? version(text);
}

/** The Git commit of a revision; `undefined` where it names none. */
export function commitOfRevision(text: string): string | undefined {
  const revision = parseFluxRevision(text);
  return revision?.kind === 'commit' ? revision.commit : undefined;
}

function withAlgorithm(text: string): FluxRevision | undefined {
  const [, name, algorithm = '', hash = ''] = WITH_ALGORITHM.exec(text) ?? [];
  if (hash === '' || LENGTHS[algorithm] !== hash.length) return undefined;
  const named = name === undefined ? {} : { name };
  return algorithm === 'sha1'
    ? { kind: 'commit', commit: hash, ...named }
    : { kind: 'digest', digest: `${algorithm}:${hash}`, ...named };
}

function legacy(text: string): FluxRevision | undefined {
  const [, name, hash] = LEGACY.exec(text) ?? [];
  if (hash === undefined) return undefined;
  // What is checked out without a branch was once called HEAD.
  const named = name === undefined || name === 'HEAD' ? {} : { name };
  return hash.length === 40
    ? { kind: 'commit', commit: hash, ...named }
    : { kind: 'digest', digest: `sha256:${hash}`, ...named };
}

function version(text: string): FluxRevision | undefined {
  const found = VERSION.exec(text);
  if (!found) return undefined;
  return { kind: 'version', version: text, ...(found[1] === undefined ? {} : { build: found[1] }) };
}
