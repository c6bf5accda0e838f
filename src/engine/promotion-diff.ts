import { isJsonObject, type JsonObject } from '../base/json.ts';

/** What a promotion changes, as far as a page has room for it. Kept with the task, so small. */
export interface ShownDiff {
  files: ShownFile[];
  /** Of all files, those that are not shown included. */
  totalFiles: number;
}

export interface ShownFile {
  path: string;
  additions: number;
  deletions: number;
  /** `+ new` and `- old`, values that look secret left out; absent: not shown. */
  lines?: string[];
  /** So many changed lines more. */
  more?: number;
}

/** What an edit of a file does, in words. */
export interface ShownEdit {
  path: string;
  what: string;
}

/** As the task has kept it when it opened the pull request. */
export function diffIn({ diff }: JsonObject): ShownDiff | undefined {
  return isJsonObject(diff) && Array.isArray(diff['files']) ? (diff as unknown as ShownDiff) : undefined;
}

/** Where a promotion edits files itself. */
export function editsIn({ content }: JsonObject): { edits: ShownEdit[]; total: number } | undefined {
  if (!isJsonObject(content) || !Array.isArray(content['edits'])) return undefined;
  const edits = content['edits'] as unknown as ShownEdit[];
  return { edits, total: Number(content['totalEdits'] ?? edits.length) };
}
