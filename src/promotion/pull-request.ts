import { promotionBranches } from './branches.ts';
import { changeSection, driftSection } from './description/changes.ts';
import { checkSection, riskSection, testSection } from './description/checks.ts';
import { nextSection, reviewSection } from './description/ending.ts';
import { evaluationSection } from './description/evaluation.ts';
import { storySection } from './description/story.ts';
import { hex, MAX_NAME, MAX_REASON, name, score, utf8Length } from './description/words.ts';
import { inline, link, plain } from './markdown.ts';
import type { PromotionEvidence } from './promotion.ts';
import { type PromotionIdentity, trailersOf } from './trailers.ts';

/** GitHub takes 65,536 characters; the rest is for what people add. */
export const MAX_BODY_BYTES = 60_000;
/** How many rows a list may have; the first number with which everything fits is taken. */
const DETAIL = [50, 20, 8, 3, 0];

export interface PromotionPlan {
  headBranch: string;
  /** What all promotions of this service to this stage begin with: older ones are found by it. */
  headPrefix: string;
  title: string;
  /** Markdown, ends with the trailers. */
  body: string;
  trailers: string[];
}

/**
 * Turns evidence into the pull request that carries it. `previous` is the one that it takes the place of, `longest` what
 * its host takes as a description.
 */
export function planPromotion(
  evidence: PromotionEvidence,
  previous?: { number: number },
  longest = MAX_BODY_BYTES,
): PromotionPlan {
  return {
    ...promotionBranches(evidence),
    title: `${subjectOf(evidence)}: ${sayVerdict(evidence)}`,
    body: bodyOf(evidence, previous, Math.min(longest, MAX_BODY_BYTES)),
    trailers: trailersOf(evidence),
  };
}

/** The message of the merge commit: what it is, and by whose evidence. */
export function mergeMessage(identity: PromotionIdentity, number: number): string {
  const why = `It was verified in ${plain(identity.fromStage, MAX_NAME)}; the evidence is in the pull request.`;
  return `${subjectOf(identity)} (#${number})\n\n${why}\n\n${trailersOf(identity).join('\n')}\n`;
}

function bodyOf(evidence: PromotionEvidence, previous: { number: number } | undefined, longest: number): string {
  let text = '';
  for (const rows of DETAIL) {
    const sections = [
      summary(evidence, previous),
      reviewSection(evidence),
      changeSection(evidence, rows),
      driftSection(evidence, rows),
      evaluationSection(evidence.evaluation, rows),
      checkSection('Error budget', evidence.checks, 'error-budget', rows),
      riskSection(evidence.checks, rows),
      checkSection('Deployment windows', evidence.checks, 'window', rows),
      testSection(evidence.tests, rows),
      storySection(evidence, rows),
      nextSection(evidence),
      trailersOf(evidence),
    ];
    text = sections
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join('\n'))
      .join('\n\n');
    if (utf8Length(text) <= longest) break;
  }
  return text;
}

function summary(evidence: PromotionEvidence, previous: { number: number } | undefined): string[] {
  const { service, revision, fromStage, toStage, link: page } = evidence;
  const sentence = `**${name(service)}** \`${hex(revision)}\` was verified in **${name(fromStage)}** (${sayVerdict(evidence)}) and is ready for **${name(toStage)}**.`;
  const { override } = evidence;
  const broken = override
    ? [
        '',
        `> **Let through** by ${name(override.actor)}, past checks and approval: ${inline(override.reason, MAX_REASON)}`,
      ]
    : [];
  const warning =
    evidence.verdict === 'warning' ? ['', '> **Warning:** not every objective was met; a person should look.'] : [];
  const replaces = previous === undefined ? [] : ['', `It takes the place of pull request ${previous.number}.`];
  const where = page === undefined ? [] : ['', link('Follow this change', page)];
  return [sentence, ...broken, ...warning, ...replaces, ...where];
}

/** What its title begins with, and its merge commit. */
export function subjectOf(identity: PromotionIdentity): string {
  const revision = plain(identity.revision.slice(0, 7), 7);
  return `Promote ${plain(identity.service, MAX_NAME)} ${revision} to ${plain(identity.toStage, MAX_NAME)}`;
}

function sayVerdict({ verdict, evaluation: found }: PromotionEvidence): string {
  return found === undefined ? verdict : `${verdict} ${score(found.score)}/100`;
}
