import type { State } from '../../../answers/change-row.ts';
import type { StageView } from '../../../views/change.ts';
import type { PromotionView } from '../../../views/promotion.ts';
import { type Html, html, link } from '../../html.ts';
import { shortCommit } from '../../parts/reference.ts';
import { stateMark } from '../../parts/state.ts';
import { diffOf } from './diff.ts';

const STATES: Readonly<Record<PromotionView['state'], State>> = {
  waiting: 'waiting',
  open: 'waiting',
  promoted: 'passed',
  'not promoted': 'failed',
};

/** Every stage that a change goes to, with its pull request, and what others brought there. */
export function promotionLines(promotions: readonly PromotionView[]): (Html | undefined)[] {
  const lines = promotions.length > 1 ? promotions.map(promotionLine) : [];
  return [...lines, ...promotions.map(diffOf), ...promotions.map(driftLine)];
}

function promotionLine({ to, state, pullRequest, url, message }: PromotionView): Html {
  const number = pullRequest === undefined ? undefined : html`, pull request ${link(url, String(pullRequest))}`;
  const said = message === undefined ? undefined : html`: ${message}`;
  return html`<p class="fact">${stateMark(STATES[state], `${to}: ${state}`)}${number}${said}</p>`;
}

function driftLine({ to, drift }: PromotionView): Html | undefined {
  if (!drift) return undefined;
  const more = drift.total - drift.commits.length;
  return html`<details><summary>${drift.total} ${drift.total === 1 ? 'commit' : 'commits'} on the branch of ${to} that no promotion brought</summary>
<ul>${drift.commits.map(({ sha, subject, author }) => html`<li>${shortCommit(sha)} ${subject} (${author})</li>`)}</ul>${more > 0 ? html`<p class="quiet">and ${more} more</p>` : undefined}</details>`;
}

/** Nothing can be decided here about what people review elsewhere. */
export function reviewLine({ number, url, to, head }: NonNullable<StageView['reviews']>[number]): Html {
  return html`<p class="message"><b>It waits for a review at its Git host.</b> Approve commit ${shortCommit(head)} for ${to} there: ${link(url, `pull request ${number}`)}</p>`;
}
