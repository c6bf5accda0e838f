import type { ChangeView, StageView } from '../views/change.ts';
import type { PromotionView } from '../views/promotion.ts';
import { mark } from './changes-page.ts';
import { type Html, html, link } from './html.ts';
import { shortCommit } from './parts/reference.ts';

const STATES: Readonly<Record<PromotionView['state'], string>> = {
  waiting: 'waiting',
  open: 'waiting',
  promoted: 'pass',
  'not promoted': 'fail',
};

/** Every stage that a change goes to, where it is more than the one pull request, and what others brought there. */
export function promotionLines(promotions: readonly PromotionView[]): (Html | undefined)[] {
  const lines = promotions.length > 1 ? promotions.map(promotionLine) : [];
  return [...lines, ...promotions.map(driftLine)];
}

function promotionLine({ to, state, pullRequest, url, message }: PromotionView): Html {
  const number = pullRequest === undefined ? undefined : html`, pull request ${link(url ?? '', String(pullRequest))}`;
  const said = message === undefined ? undefined : html`: ${message}`;
  return html`<p class="facts">${mark(STATES[state], `${to}: ${state}`)}${number}${said}</p>`;
}

function driftLine({ to, drift }: PromotionView): Html | undefined {
  if (!drift) return undefined;
  const more = drift.total - drift.commits.length;
  return html`<details><summary>${drift.total} ${drift.total === 1 ? 'commit' : 'commits'} on the branch of ${to} that no promotion brought</summary>
<ul>${drift.commits.map(({ sha, subject, author }) => html`<li>${shortCommit(sha)} ${subject} (${author})</li>`)}</ul>${more > 0 ? html`<p class="quiet">and ${more} more</p>` : undefined}</details>`;
}

/** Takes up what ended without having been merged. */
export function retryForm(change: ChangeView, { stage, revision }: StageView): Html {
  return html`<details><summary>Promote again</summary><form class="decide" method="post" action="/changes/${encodeURIComponent(change.id)}/decisions">
<p>Opens a new pull request for commit ${shortCommit(revision)}, where the last one was not merged.</p>
<input type="hidden" name="stage" value="${stage}"><input type="hidden" name="revision" value="${revision}">
<label>Reason <input name="reason" required maxlength="2000" autocomplete="off"></label>
<button name="verdict" value="retry">Promote again</button>
</form></details>`;
}
