import { link } from '../markdown.ts';
import type { PromotionEvidence } from '../promotion.ts';
import { hex, lasting, name } from './words.ts';

/** Who is asked to let it through, and why they. */
export function reviewSection({ review, toStage, link: page }: PromotionEvidence): string[] {
  if (review === undefined) return [];
  const head = ['## Who is asked', ''];
  if (review.kind === 'policy')
    return [
      ...head,
      `Nobody has to: the policy of the stage lets a change with this verdict go to ${name(toStage)} by itself.`,
    ];
  const people = review.quorum === 1 ? 'one person' : `${review.quorum} people`;
  if (review.kind === 'here') {
    const where =
      page === undefined
        ? "on this change's page or with `lynceus approve`"
        : `${link("on this change's page", page)} or with \`lynceus approve\``;
    return [...head, `It needs the approval of ${people}, given ${where}.`];
  }
  const from = review.groups.length + review.people === 0 ? 'who may write to this repository' : fromWhom(review);
  return [
    ...head,
    `It needs an approving review of **${people}** ${from}.`,
    '',
    `- It counts for exactly this commit, and for ${lasting(review.expiresAfterMs)}.`,
    ...(review.authors === 'refuse' ? ['- Who wrote a commit in it does not count.'] : []),
    '- The own rules of the Git host (branch protection, code owners) hold as well.',
  ];
}

function fromWhom({ groups, people }: { groups: readonly string[]; people: number }): string {
  const named = groups.slice(0, 5).map((group) => `**${name(group)}**`);
  const rest = groups.length > named.length ? [`${groups.length - named.length} more groups`] : [];
  const single = people === 0 ? [] : [`${people} ${people === 1 ? 'person' : 'people'} named in delivery.yaml`];
  return `out of ${[...named, ...rest, ...single].join(' or ')}`;
}

/** What can be done now, and what comes of it. */
export function nextSection(evidence: PromotionEvidence): string[] {
  const { revision, toStage, merge = 'lynceus', commands = false, edits = [] } = evidence;
  const what = edits.length > 0 ? 'exactly these edits' : `exactly \`${hex(revision)}\``;
  return [
    '## Next steps',
    '',
    ...(merge === 'person'
      ? ['- **Merge it** once everything below is met: that is left to people here.']
      : [
          '- **Approve** it: Lynceus merges it as soon as everything else is met, and only while nothing was pushed to it.',
        ]),
    '- **Request changes** to keep it from being merged; **close** it to leave the stage as it is.',
    ...(commands
      ? [
          '- In a comment: `/lynceus hold` and `/lynceus resume` stop it and let it go on, `/lynceus retry` opens it again once it was closed.',
        ]
      : []),
    '',
    `Merging brings ${what} to the branch that ${name(toStage)} is deployed from. Lynceus then watches it there: checks, rollout, tests and evaluation as that stage demands.`,
    'The lines below tie the merge to its evidence; please keep them.',
  ];
}
