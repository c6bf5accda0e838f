import type { ChangeOf } from '../../definitions/delivery-changes.ts';
import { parseValuePath } from '../../definitions/value-path.ts';
import type { TreeFile } from '../file-edit.ts';
import { putValue, requireSound } from './change-file.ts';
import { matchesGlob } from './glob.ts';
import type { Spot } from './locate.ts';
import { readWhole } from './new-value.ts';
import { EditRefusal, type OpenFile, openFile, refuse } from './open-file.ts';
import { isLink, sayLink, type Workspace } from './workspace.ts';

type Copy = ChangeOf<'copy'>;

/** Makes a folder of the target what another one of the verified commit is, but for the values that stay. */
export function copyFolder(work: Workspace, copy: Copy): void {
  const wanted = chosen(work.source.folder(copy.from), copy.from, copy);
  if (wanted.size === 0) refuse(copy.from, 'has no files to copy in the verified commit');
  const there = chosen(work.target.folder(copy.to), copy.to, copy);
  for (const [name, file] of wanted) copyFile(work, copy, name, file, there.get(name));
  for (const [name, { path }] of there) {
    if (!wanted.has(name)) work.put({ kind: 'delete', path }, `deleted, as ${copy.from} no longer has it`);
  }
}

/** By their names below the folder. */
function chosen(files: readonly TreeFile[], folder: string, { include, exclude = [] }: Copy): Map<string, TreeFile> {
  const named = files.map((file) => [file.path.slice(folder.length + 1), file] as const);
  const matching = named.filter(
    ([name]) =>
      (include === undefined || include.some((pattern) => matchesGlob(name, pattern))) &&
      !exclude.some((pattern) => matchesGlob(name, pattern)),
  );
  for (const [, file] of matching) {
    if (isLink(file)) refuse(file.path, `is ${sayLink(file)}, which is not copied: leave it out with "exclude"`);
  }
  return new Map(matching);
}

function copyFile(work: Workspace, copy: Copy, name: string, file: TreeFile, there: TreeFile | undefined): void {
  const path = `${copy.to}/${name}`;
  const kept = (copy.keep ?? []).filter((keep) => keep.file === name);
  if (kept.length > 0 && there !== undefined) {
    const content = withKept(work, { from: file.path, path, kept });
    if (content !== work.target.file(path)) work.put({ kind: 'write', path, content }, sayKept(file.path, kept));
    return;
  }
  if (there?.blob === file.blob && there.mode === file.mode) return;
  const what = `${there === undefined ? 'new, ' : ''}copied from ${file.path}`;
  work.put({ kind: 'copy', path, from: { sha: work.source.sha, path: file.path } }, what);
}

function sayKept(from: string, kept: NonNullable<Copy['keep']>): string {
  const shown = kept.slice(0, 5).map(({ path }) => path);
  const more = kept.length > shown.length ? ` and ${kept.length - shown.length} more` : '';
  return `copied from ${from}, but for ${shown.join(', ')}${more}`;
}

/** The source's file with the target's values; a value that the target does not have yet comes along. */
function withKept(
  work: Workspace,
  { from, path, kept }: { from: string; path: string; kept: NonNullable<Copy['keep']> },
): string {
  const before = work.target.file(path);
  if (before === undefined) return refuse(path, 'cannot be read, so nothing of it can be kept');
  const theirs = openFile(path, before, work.effort);
  // Opened anew: what is kept for one stage is not in the verified file.
  const ours = openFile(from, work.openSource(from).text, work.effort);
  const file = kept.reduce((file, keep) => {
    const spot: Spot = { resource: keep.resource, path: parseValuePath(keep.path) ?? [] };
    const value = valueIn(theirs, spot);
    if (value === undefined) return file;
    return naming(path, () => putValue(file, spot, value));
  }, ours);
  naming(path, () => requireSound(file));
  return file.text;
}

function valueIn(file: OpenFile, spot: Spot) {
  try {
    return readWhole(file, spot);
  } catch (error) {
    if (error instanceof EditRefusal && error.problem.message.startsWith('there is no')) return undefined;
    throw error;
  }
}

/** The problem is found in the source's file, while people asked for something in the target's. */
function naming<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof EditRefusal)) throw error;
    const { problem } = error;
    throw new EditRefusal({ ...problem, message: `${problem.message} (to keep the value of ${path})` });
  }
}
