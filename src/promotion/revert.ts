import type { Evaluation } from '../slo/evaluation.ts';
import { refPart } from './branches.ts';
import { evaluationSection } from './description/evaluation.ts';
import { hex } from './description/words.ts';
import { inline, link, plain } from './markdown.ts';
import { token } from './trailers.ts';

/** Everything that a reviewer is told about a rollback by pull request. */
export interface Revert {
  project: string;
  service: string;
  stage: string;
  /** Of the change that failed. */
  context: string;
  sequence: string;
  /** The commit that failed, and the last good one. */
  failed: string;
  good: string;
  /** What failed, in one sentence. */
  why: string;
  /** A person found it bad, whatever the stage's gates said. */
  asked?: true;
  branch: string;
  evaluation?: Evaluation;
  /** What is taken back. */
  commits: { sha: string; subject: string; author: string }[];
  totalCommits: number;
  /** Why a person has to merge it, whatever the policy says. */
  byHand?: string;
  /** The change's page, when a public address is configured. */
  link?: string;
}

export interface RevertPlan {
  headBranch: string;
  /** What all rollbacks of this service in this stage begin with. */
  headPrefix: string;
  /** Of the revert commit. */
  message: string;
  title: string;
  body: string;
}

const MAX_NAME = 80;
const MAX_LINE = 240;
const MAX_ROWS = 20;

/** The revert commit and the pull request that brings it to the branch of a stage. */
export function planRevert(revert: Revert): RevertPlan {
  const { project, service, stage, context, failed } = revert;
  // Not below `lynceus/`: a promotion to this stage must not mistake it for an older promotion.
  const headPrefix = `lynceus-rollback/${refPart(project)}/${refPart(service)}/${refPart(stage)}/`;
  return {
    headBranch: `${headPrefix}${refPart(context.slice(0, 8))}-${refPart(failed.slice(0, 7))}`,
    headPrefix,
    message: `${subjectOf(revert)}\n\n${plain(revert.why, MAX_LINE)}\n\n${paragraphOf(revert)}\n\n${trailersOf(revert).join('\n')}\n`,
    title: subjectOf(revert),
    body: bodyOf(revert),
  };
}

/** The message of the merge commit. */
export function revertMergeMessage(revert: Omit<Revert, 'commits' | 'totalCommits'>, number: number): string {
  return `${subjectOf(revert)} (#${number})\n\n${plain(revert.why, MAX_LINE)}\n\n${trailersOf(revert).join('\n')}\n`;
}

/** The text of the pull request once it is known what became of the rollback. */
export function withOutcome(body: string, outcome: string, worked: boolean): string {
  const end = body.lastIndexOf('\n\n');
  const mark = worked ? '**Verified:**' : '**ROLLBACK FAILED:**';
  return `${body.slice(0, end)}\n\n## What became of it\n\n${mark} ${inline(outcome, MAX_LINE)}${body.slice(end)}`;
}

/**
 * By these lines people and other tools tell the commit apart from a change. Lynceus itself goes by its own log:
 * anybody can write them.
 */
function trailersOf({ context, stage, sequence, failed, good }: Omit<Revert, 'commits' | 'totalCommits'>): string[] {
  return [
    `Lynceus-Context: ${token(context)}`,
    `Lynceus-Stage: ${token(stage)}`,
    `Lynceus-Rollback: ${token(sequence)}`,
    `Lynceus-Failed-Revision: ${token(failed)}`,
    `Lynceus-Good-Revision: ${token(good)}`,
  ];
}

function subjectOf({ service, stage, good }: Pick<Revert, 'service' | 'stage' | 'good'>): string {
  return `Roll back ${plain(service, MAX_NAME)} in ${plain(stage, MAX_NAME)} to ${hex(good)}`;
}

function paragraphOf({ failed, good }: Revert): string {
  return `It has the files of ${good}, which was good, and takes back what came\nbetween it and ${failed}.`;
}

function bodyOf(revert: Revert): string {
  const { service, stage, failed, good, why, asked, evaluation, byHand, link: page } = revert;
  const lines = [
    `**${inline(service, MAX_NAME)}** \`${hex(failed)}\` ${asked ? 'is rolled back' : 'failed'} in **${inline(stage, MAX_NAME)}**: ${inline(why, MAX_LINE)}`,
    '',
    `The last commit that was good there is \`${hex(good)}\`. This pull request brings back its files.`,
    ...(byHand === undefined ? [] : ['', `> **A person has to decide:** ${inline(byHand, MAX_LINE)}`]),
    ...(page === undefined ? [] : ['', link('Follow this change', page)]),
    '',
    ...takenBack(revert),
    ...(evaluation === undefined ? [] : ['', ...evaluationSection(evaluation, MAX_ROWS)]),
    '',
    '## What merging does',
    '',
    `It takes back what came between \`${hex(good)}\` and \`${hex(failed)}\`; what came later stays. Lynceus then watches`,
    `that ${inline(stage, MAX_NAME)} runs it and is healthy. Closing this pull request leaves the stage as it is.`,
    'The lines below say what is rolled back; please keep them.',
    '',
    ...trailersOf(revert),
  ];
  return lines.join('\n');
}

function takenBack({ commits, totalCommits }: Revert): string[] {
  const shown = commits.slice(0, MAX_ROWS);
  const more = Math.max(totalCommits, commits.length) - shown.length;
  return [
    '## What is taken back',
    '',
    ...shown.map(
      ({ sha, subject, author }) => `- \`${hex(sha)}\` ${inline(subject, 160)} (${inline(author, MAX_NAME)})`,
    ),
    ...(more > 0 ? [`- and ${more} more`] : []),
    ...(shown.length === 0 ? ['No commits are listed between the two.'] : []),
  ];
}
