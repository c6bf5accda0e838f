import { clip } from '../base/clip.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { PromotionGate } from './gate.ts';
import { inline } from './markdown.ts';

/** Why a promotion cannot be merged as far as Git goes. */
export interface Conflict {
  /** The commits that collide: of the pull request, and of the branch that it leads to. */
  head: string;
  base: string;
  /** At most 90 characters. */
  sentence: string;
}

/** Everything that a person has to know to solve it. */
export interface Collision {
  branch: string;
  stage: string;
  /** Changed on both sides, at most 20. */
  files: string[];
  totalFiles: number;
  /** What the branch has that the promotion has not, newest first. */
  commits: { sha: string; subject: string; author: string }[];
  totalCommits: number;
}

/** Our one comment about it begins with this. */
export const CONFLICT_MARKER = '<!-- lynceus:conflict -->';

const MAX_SHOWN = 20;
const MAX_NAMED = 2;

/** `3 files collide with stage/production: a.yaml, b.yaml and 1 more` */
export function sayCollision({
  files,
  totalFiles,
  branch,
}: Pick<Collision, 'files' | 'totalFiles' | 'branch'>): string {
  if (totalFiles === 0) return clip(`it cannot be merged into ${branch}: the histories collide`);
  const named = files.slice(0, MAX_NAMED).join(', ');
  const more = totalFiles > MAX_NAMED ? ` and ${totalFiles - MAX_NAMED} more` : '';
  return clip(`${totalFiles} ${totalFiles === 1 ? 'file collides' : 'files collide'} with ${branch}: ${named}${more}`);
}

/** The comment that explains it: which files, by whose commits, and what can be done. */
export function conflictComment(collision: Collision): string {
  const { branch, stage, files, totalFiles, commits, totalCommits } = collision;
  const shownFiles = files.slice(0, MAX_SHOWN);
  const shownCommits = commits.slice(0, MAX_SHOWN);
  const where = inline(branch, 120);
  return [
    CONFLICT_MARKER,
    `**It cannot be merged:** ${where} has changed the same files as this promotion.`,
    '',
    ...shownFiles.map((file) => `- ${inline(file, 160)}`),
    ...more(totalFiles - shownFiles.length, 'file'),
    '',
    `On ${where} and not in this promotion:`,
    '',
    ...shownCommits.map(
      ({ sha, subject, author }) => `- ${sha.slice(0, 8)} ${inline(subject, 120)} (${inline(author, 80)})`,
    ),
    ...more(totalCommits - shownCommits.length, 'commit'),
    '',
    `Who wrote these commits either takes them back on ${where}, or brings them to the first stage, so that the next verified change contains them. With \`conflicts: takeVerified\` in delivery.yaml the verified files win in ${inline(stage, 80)}. Nothing is pushed to this pull request: it brings what was verified and nothing else.`,
  ].join('\n');
}

/** What takes the place of the explanation once it is over. */
export function conflictSolved(branch: string): string {
  return `${CONFLICT_MARKER}\nThere was a conflict with ${inline(branch, 120)}; it is solved.`;
}

/** Whether Git, or somebody who pushed to our branch, keeps it from being merged. */
export function conflictGate(memo: JsonObject, moved: boolean, number: number): PromotionGate {
  const gate = { name: 'conflict', blocker: 'conflict' } as const;
  if (moved) {
    const sentence = clip(`pull request ${number} no longer points at the evaluated commit`);
    return { ...gate, state: 'failure', sentence };
  }
  const conflict = conflictIn(memo);
  if (!conflict) return { ...gate, state: 'success', sentence: 'nothing is known that collides' };
  return { ...gate, state: 'failure', sentence: conflict.sentence };
}

/** As the task remembers it. */
export function conflictIn({ conflict }: JsonObject): Conflict | undefined {
  return isJsonObject(conflict) ? (conflict as unknown as Conflict) : undefined;
}

function more(count: number, what: string): string[] {
  return count > 0 ? [`- and ${count} more ${count === 1 ? what : `${what}s`}`] : [];
}
