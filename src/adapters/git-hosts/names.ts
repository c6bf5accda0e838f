import { AdapterError } from '../../base/adapter-error.ts';
import type { NewCommit, NewFiles } from './git-host.ts';

const MAX_NAME = 255;
const MAX_PATH = 1_024;
/** More than a folder of manifests holds. */
const MAX_EDITS = 5_000;

/** A full object name: SHA-1 or SHA-256. */
export function isSha(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/**
 * Whether Git accepts this as (the last part of) a branch or tag name. Stricter than needed in one
 * point: a leading dash is never allowed, so a name cannot become an option.
 * https://git-scm.com/docs/git-check-ref-format
 */
export function isRefName(name: string): boolean {
  if (name === '' || name.length > MAX_NAME || name === '@') return false;
  if (/[\p{Cc} ~^:?*[\]\\]|\.\.|@\{|\/\//u.test(name)) return false;
  if (/^[-/]|[/.]$/.test(name)) return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

/** @throws {AdapterError} `rejected` when this is not the name of a branch */
export function requireBranch(name: string): void {
  if (!isRefName(name)) throw new AdapterError('rejected', `${JSON.stringify(name.slice(0, 80))} is not a branch name`);
}

/** @throws {AdapterError} `rejected` when this is not a full commit SHA */
export function requireSha(sha: string): void {
  if (!isSha(sha)) throw new AdapterError('rejected', `${JSON.stringify(sha.slice(0, 80))} is not a full commit SHA`);
}

/** @throws {AdapterError} `rejected` when this is not a path inside a repository */
export function requirePath(path: string): void {
  const parts = path.split('/');
  const odd = path.length > MAX_PATH || /\p{Cc}/u.test(path) || parts.some((part) => ['', '.', '..'].includes(part));
  if (!odd) return;
  throw new AdapterError('rejected', `${JSON.stringify(path.slice(0, 80))} is not a path inside the repository`);
}

/** @throws {AdapterError} `rejected`: nothing in it may be anything but a branch, full SHAs and a moment */
export function requireNewCommit({ branch, parents, treeOf, at }: NewCommit): void {
  requireBranch(branch);
  for (const sha of [treeOf, ...parents]) requireSha(sha);
  if (parents.length === 0 || Number.isNaN(Date.parse(at)))
    throw new AdapterError('rejected', 'a commit needs a parent and a moment at which it was made');
}

/** @throws {AdapterError} `rejected`: nothing in it may be anything but a branch, full SHAs, paths and a moment */
export function requireNewFiles({ branch, parent, edits, at }: NewFiles): void {
  requireBranch(branch);
  requireSha(parent);
  for (const edit of edits) {
    requireEditable(edit.path);
    if (edit.kind !== 'copy') continue;
    requireSha(edit.from.sha);
    requirePath(edit.from.path);
  }
  if (Number.isNaN(Date.parse(at))) throw new AdapterError('rejected', 'a commit needs a moment at which it was made');
  if (new Set(edits.map(({ path }) => path)).size < edits.length)
    throw new AdapterError('rejected', 'two edits of one file contradict each other');
  const odd = edits.find((edit) => edit.kind === 'write' && !edit.content.isWellFormed());
  if (odd !== undefined) throw new AdapterError('rejected', `what ${odd.path} shall hold is not Unicode text`);
  if (edits.length > MAX_EDITS)
    throw new AdapterError('rejected', `${edits.length} files are to change; more than ${MAX_EDITS} are not changed`);
}

/** Git refuses `.git` in any spelling, and hosts each in their own way: nothing of the kind is even tried. */
function requireEditable(path: string): void {
  requirePath(path);
  if (!path.split('/').some((part) => /^\.git[. ]*$/i.test(part))) return;
  throw new AdapterError('rejected', `${JSON.stringify(path.slice(0, 80))} is Git's own`);
}
