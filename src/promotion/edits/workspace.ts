import { liesIn } from '../../definitions/repository-path.ts';
import type { FileEdit, TreeFile } from '../file-edit.ts';
import { requireSound } from './change-file.ts';
import { type Effort, newEffort, type OpenFile, openFile, refuse } from './open-file.ts';

/** A commit as far as it was read beforehand. */
export interface TreeReader {
  sha: string;
  /** Text of a file; `undefined`: it is not there. */
  file(path: string): string | undefined;
  /** Files in a folder and below it; none: there is no such folder. */
  folder(path: string): readonly TreeFile[];
}

/** What one edit does, for people. */
export interface EditSummary {
  path: string;
  what: string;
}

/** More would be no promotion that anybody reviews, and more than hosts take at once. */
export const MAX_EDITS = 2_000;

/** The target's files as they become, edit by edit: a later change sees what an earlier one did. */
export interface Workspace {
  source: TreeReader;
  target: TreeReader;
  /** A file of the target as it is by now. */
  open(path: string): OpenFile;
  /** A file of the verified commit. */
  openSource(path: string): OpenFile;
  /** Nothing is said of a file that stays as it is. */
  write(before: OpenFile, after: OpenFile, what: string): void;
  put(edit: FileEdit, what: string): void;
  /** For files that are opened elsewhere. */
  effort: Effort;
  /** After a refusal, what is known of a file may be half of a change. */
  forget(): void;
  /** Looks at each file that was written. @throws {EditRefusal} more of one has changed than was asked for */
  requireSound(): void;
  /** What differs from the target in the end. */
  edits(): FileEdit[];
  summary(): EditSummary[];
}

export function createWorkspace(source: TreeReader, target: TreeReader): Workspace {
  const edits = new Map<string, FileEdit>();
  const summary: EditSummary[] = [];
  const opened = new Map<string, OpenFile>();
  const effort = newEffort();

  /** Several changes of one file parse it once. */
  function openOnce(key: string, path: string, text: string): OpenFile {
    const known = opened.get(key);
    if (known?.text === text) return known;
    const file = openFile(path, text, effort);
    opened.set(key, file);
    return file;
  }

  function textAt(path: string): string | undefined {
    const edit = edits.get(path);
    if (edit === undefined) return target.file(path);
    if (edit.kind === 'write') return edit.content;
    return edit.kind === 'copy' ? source.file(edit.from.path) : undefined;
  }

  return {
    source,
    target,
    open(path) {
      requirePlainFile(target, path, 'the branch of the next stage');
      const text = textAt(path);
      if (text === undefined) return refuse(path, 'is not there on the branch of the next stage');
      return openOnce(`target:${path}`, path, text);
    },
    openSource(path) {
      const text = source.file(path);
      if (text === undefined) return refuse(path, 'is not there in the verified commit');
      return openOnce(`source:${path}`, path, text);
    },
    write(before, after, what) {
      if (before.text === after.text) return;
      opened.set(`target:${after.name}`, after);
      this.put({ kind: 'write', path: after.name, content: after.text }, what);
    },
    put(edit, what) {
      if (edits.size >= MAX_EDITS && !edits.has(edit.path))
        return refuse(edit.path, `is one file too many: a promotion changes at most ${MAX_EDITS}`);
      edits.set(edit.path, edit);
      summary.push({ path: edit.path, what });
    },
    effort,
    forget: () => opened.clear(),
    requireSound() {
      for (const file of opened.values()) {
        if (file.wanted !== undefined) requireSound(file);
      }
    },
    edits: () => [...edits.values()].filter((edit) => edit.kind !== 'write' || target.file(edit.path) !== edit.content),
    summary: () => summary,
  };
}

/** What is written through a link would arrive somewhere else. */
function requirePlainFile(tree: TreeReader, path: string, where: string): void {
  const parts = path.split('/');
  const listed = tree.folder(parts.slice(0, -1).join('/'));
  const odd = listed.find((entry) => isLink(entry) && liesIn(path, entry.path));
  if (odd) refuse(odd.path, `is ${sayLink(odd)} on ${where}: name the file itself`);
}

export function isLink({ mode }: TreeFile): boolean {
  return mode === '120000' || mode === '160000';
}

export function sayLink({ mode }: TreeFile): string {
  return mode === '120000' ? 'a symbolic link' : 'a submodule';
}
