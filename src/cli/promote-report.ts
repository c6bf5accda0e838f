import { createTwoFilesPatch } from 'diff';
import { sayProblem } from '../definitions/problem.ts';
import { asJson } from './changes.ts';
import type { Preview, PreviewFile } from './promote-preview.ts';
import { oneLine, table, wrap } from './table.ts';

/** A file with more lines of difference is named only; the whole is in the JSON. */
const MAX_LINES = 400;
const MAX_COMMITS = 20;

/** For people: what it would be, what is asked, and the differences as `git diff` has them. */
export function textPreview(preview: Preview, columns: number): string {
  const { title, problems, files, branch, toStage } = preview;
  if (problems.length > 0) {
    return [
      `${oneLine(title)}: its changes do not fit, and nothing would be opened.`,
      '',
      ...problems.map((one) => oneLine(sayProblem(one))),
    ].join('\n');
  }
  if (files.length === 0)
    return `${oneLine(title)}: ${oneLine(toStage)} has everything already, on ${oneLine(branch)}.`;
  return [
    table(facts(preview), columns),
    '',
    table([['ASKED', ''], ...preview.asked.map(({ when, what }) => [when, what])], columns),
    ...preview.digests.flatMap((image) =>
      wrap(`The digest of ${oneLine(image)} is asked for when it is opened; zeros stand for it here.`, columns),
    ),
    '',
    ...files.map(patch),
    ...(preview.totalFiles > files.length ? [`and ${preview.totalFiles - files.length} more files`] : []),
  ].join('\n');
}

function facts(preview: Preview): string[][] {
  const { title, branch, base, revision, mode, totalFiles, commits, totalCommits } = preview;
  const content =
    mode === 'merge' ? `the verified commit is merged: ${count(totalCommits, 'commit')}` : 'one commit of edits';
  return [
    ['PULL REQUEST', title],
    ['into', `${branch} (now ${base.slice(0, 7)})`],
    ['verified', revision.slice(0, 7)],
    ['content', `${content}, ${count(totalFiles, 'file')}`],
    ...commits.slice(0, MAX_COMMITS).map(({ sha, subject }) => ['', `${sha.slice(0, 7)} ${subject}`]),
    ...(totalCommits > MAX_COMMITS ? [['', `and ${totalCommits - MAX_COMMITS} more`]] : []),
    ...preview.edits.slice(0, MAX_COMMITS).map(({ path, what }) => ['', `${path}: ${what}`]),
  ];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function patch(file: PreviewFile): string {
  const diff = unified(file);
  if (diff === undefined) return `${file.change} ${oneLine(file.path)} (not shown: no text, or too large)`;
  const lines = diff.split('\n');
  const cut = lines.length > MAX_LINES ? [`... and ${lines.length - MAX_LINES} more lines`] : [];
  return [...lines.slice(0, MAX_LINES), ...cut].map(harmless).join('\n');
}

/** As `git diff` writes it; `undefined`: it cannot be shown. */
function unified({ path, change, before, after }: PreviewFile): string | undefined {
  if (before === undefined && after === undefined) return undefined;
  if (change === 'modify' && (before === undefined || after === undefined)) return undefined;
  const names = [
    change === 'add' ? '/dev/null' : `a/${path}`,
    change === 'delete' ? '/dev/null' : `b/${path}`,
  ] as const;
  const made = createTwoFilesPatch(...names, before ?? '', after ?? '', '', '', { context: 3 });
  return made
    .replace(/^=+\n/, '')
    .replace(/^(---|\+\+\+ .*?)\t$/gm, '$1')
    .trimEnd();
}

/** Tabs stay; what would steer a terminal does not. */
function harmless(line: string): string {
  return line.replace(/[^\P{Cc}\t]|\p{Cf}|[\u2028\u2029]/gu, '\uFFFD');
}

/** For programs: everything, with the differences as text. */
export function jsonPreview({ files, problems, ...rest }: Preview): string {
  return asJson({
    ...rest,
    files: files.map((file) => ({ path: file.path, change: file.change, diff: unified(file) ?? null })),
    problems: problems.map(sayProblem),
  });
}
