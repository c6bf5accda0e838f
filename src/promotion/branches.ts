import type { PromotionIdentity } from './trailers.ts';

/** The branch of a promotion, and what all promotions of this service to this stage begin with: older ones are found by it. */
export function promotionBranches({ project, service, toStage, context, revision }: PromotionIdentity): {
  headBranch: string;
  headPrefix: string;
} {
  const headPrefix = `lynceus/${refPart(project)}/${refPart(service)}/${refPart(toStage)}/`;
  return { headPrefix, headBranch: `${headPrefix}${refPart(context.slice(0, 8))}-${refPart(revision.slice(0, 7))}` };
}

/** A part of a branch name that Git takes as it is: https://git-scm.com/docs/git-check-ref-format */
export function refPart(text: string): string {
  const safe = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[.-]+/, '')
    .slice(0, 63)
    .replace(/(?:\.lock|\.)+$/, '');
  return safe === '' ? 'x' : safe;
}
