import { inline, row } from '../markdown.ts';
import type { PromotionEvidence } from '../promotion.ts';
import { folded, hex, MAX_LINE, MAX_NAME, more, name } from './words.ts';

/** A longer list of commits is folded. */
const UNFOLDED = 10;
const MAX_FOLDERS = 12;

/** The commits between the two stages, who wrote them, and which files they touch. */
export function changeSection(evidence: PromotionEvidence, rows: number): string[] {
  return [
    '## What is promoted',
    '',
    ...commitLines(evidence, rows),
    ...fileLines(evidence, rows),
    ...editLines(evidence, rows),
  ];
}

function commitLines({ commits, totalCommits, fromStage, toStage }: PromotionEvidence, rows: number): string[] {
  const total = Math.max(totalCommits, commits.length);
  if (total === 0) return [`No commits are listed between ${name(toStage)} and ${name(fromStage)}.`];
  const shown = commits.slice(0, rows);
  const lines = [...shown.map(commit), ...more(total - shown.length, 'commit')];
  return shown.length > UNFOLDED ? folded(`${total} commits`, lines) : lines;
}

function commit({ sha, subject, author }: PromotionEvidence['commits'][number]): string {
  return `- \`${hex(sha)}\` ${inline(subject, MAX_LINE)} (${inline(author, MAX_NAME)})`;
}

/** By folder: a list of a hundred files tells a reviewer nothing. */
function fileLines({ files = [], totalFiles = 0, sensitive = [] }: PromotionEvidence, rows: number): string[] {
  if (files.length === 0) return [];
  const folders = byFolder(files);
  const shown = folders.slice(0, Math.min(rows, MAX_FOLDERS));
  const total = Math.max(totalFiles, files.length);
  const [added, removed] = [sum(files, 'additions'), sum(files, 'deletions')];
  const named = sensitive.slice(0, Math.min(rows, 8)).map((path) => `\`${code(path)}\``);
  const rest = sensitive.length - named.length;
  return [
    '',
    `**${total} ${total === 1 ? 'file' : 'files'}**, +${added} −${removed}${total > files.length ? ' in those that are listed' : ''}`,
    ...(named.length === 0 ? [] : ['', `Sensitive: ${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`]),
    ...(shown.length === 0
      ? []
      : [
          '',
          row('Folder', 'Files', 'Lines'),
          row('---', '---:', '---:'),
          ...shown.map((one) =>
            row(inline(one.folder, MAX_NAME), String(one.count), `+${one.additions} −${one.deletions}`),
          ),
          ...more(folders.length - shown.length, 'folder', true),
        ]),
  ];
}

function byFolder(files: NonNullable<PromotionEvidence['files']>) {
  const folders = new Map<string, { folder: string; count: number; additions: number; deletions: number }>();
  for (const { path, additions, deletions } of files) {
    const folder = path.split('/').slice(0, -1).slice(0, 2).join('/') || '(top)';
    const before = folders.get(folder) ?? { folder, count: 0, additions: 0, deletions: 0 };
    folders.set(folder, {
      folder,
      count: before.count + 1,
      additions: before.additions + additions,
      deletions: before.deletions + deletions,
    });
  }
  return [...folders.values()].sort((a, b) => b.additions + b.deletions - a.additions - a.deletions);
}

/** Where the pull request does not bring the commit itself but writes some of it: what, and where. */
function editLines({ edits = [] }: PromotionEvidence, rows: number): string[] {
  if (edits.length === 0) return [];
  const shown = edits.slice(0, rows);
  return [
    '',
    'It brings no commit of the stage before, but these edits:',
    '',
    row('File', 'What'),
    row('---', '---'),
    ...shown.map(({ path, what }) => row(inline(path, MAX_LINE), inline(what, MAX_LINE))),
    ...more(edits.length - shown.length, 'edit', true),
  ];
}

/** Commits on the target's branch that are nobody's promotion. */
export function driftSection({ drift, toStage }: PromotionEvidence, rows: number): string[] {
  if (drift === undefined || drift.commits.length === 0) return [];
  const shown = drift.commits.slice(0, Math.min(rows, 10));
  return [
    '## Not from a promotion',
    '',
    `> **${name(toStage)} has ${drift.total} ${drift.total === 1 ? 'commit' : 'commits'} of its own** since the last promotion, verified in no stage before. Merging leaves ${drift.total === 1 ? 'it' : 'them'} there.`,
    '',
    ...shown.map(commit),
    ...more(drift.total - shown.length, 'commit'),
  ];
}

function sum(files: NonNullable<PromotionEvidence['files']>, key: 'additions' | 'deletions'): number {
  return files.reduce((total, file) => total + file[key], 0);
}

/** Inside of backticks nothing but a backtick means anything; a line end would leave them. */
function code(path: string): string {
  return inline(path, MAX_LINE)
    .replace(/\\([\\*_[\]|~$])/g, '$1')
    .replaceAll('|', '/');
}
