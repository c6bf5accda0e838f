import { createHash } from 'node:crypto';
import type { TreeReader } from '../../../src/promotion/edits/workspace.ts';
import type { FileEdit, TreeFile } from '../../../src/promotion/file-edit.ts';

/** Files of a commit by their paths: text, or what is no file of its own. */
export type Files = Record<string, string | { link: string } | { submodule: true }>;

/** A commit that has been read. */
export function tree(files: Files, name: string): TreeReader {
  const listed = Object.entries(files).map(([path, file]): TreeFile => {
    const blob = createHash('sha1').update(JSON.stringify(file)).digest('hex');
    const mode = typeof file === 'string' ? '100644' : 'link' in file ? '120000' : '160000';
    return { path, blob, mode };
  });
  return {
    sha: name.repeat(40),
    file(path) {
      const file = files[path];
      return typeof file === 'string' ? file : file && 'link' in file ? file.link : undefined;
    },
    folder: (folder) => listed.filter(({ path }) => folder === '' || path.startsWith(`${folder}/`)),
  };
}

/** The target's files once the edits are done. */
export function applied(edits: readonly FileEdit[], source: Files, target: Files): Files {
  const after = { ...target };
  for (const edit of edits) {
    if (edit.kind === 'delete') delete after[edit.path];
    else after[edit.path] = edit.kind === 'write' ? edit.content : (source[edit.from.path] ?? '');
  }
  return after;
}
