import type { ChangeRow } from '../../answers/change-row.ts';
import type { Moment } from '../frame.ts';
import { type Content, type Html, html, isSafeAddress, joined, link } from '../html.ts';
import { initials } from '../parts/person.ts';
import { stateShape } from '../parts/state.ts';
import { since } from '../parts/time.ts';
import { changeAddress } from './change-address.ts';
import { oddsAndTime } from './odds-and-time.ts';
import { unblockers } from './unblockers.ts';
import { whereCells } from './where.ts';

/** One change with its five answers; the same HTML comes with the page and with every update of it. */
export function changeRowHtml(row: ChangeRow, frame: Moment): Html {
  return html`<tr id="row-${row.id}" data-rev="${row.rev}" role="row">
<td role="cell" class="what">${what(row, frame)}</td>
<td role="cell" class="where" data-label="Where">${whereCells(row.cells)}</td>
<td role="cell" class="waits" data-label="Waiting for, and who">${waits(row, frame)}</td>
<td role="cell" class="when" data-label="Time and odds">${oddsAndTime(row, frame)}</td>
</tr>`;
}

const KINDS: Readonly<Record<ChangeRow['kind'], string | undefined>> = {
  code: undefined,
  config: 'configuration',
  rollback: 'rollback',
};

function what(row: ChangeRow, frame: Moment): Html {
  const { service, version, title, author, commit, pr, kind, createdAt } = row;
  const facts: Content[] = [
    KINDS[kind] === undefined ? undefined : html`<span class="kind">${KINDS[kind]}</span>`,
    html`<span class="initials" aria-hidden="true">${initials(author.name)}</span>${author.login ?? author.name}`,
    commitLink(commit),
    pr === undefined ? undefined : link(pr.url, pr.text, 'pr'),
    since(createdAt, frame.now),
  ];
  return html`<a href="${changeAddress(row.id)}" data-k="open"><b>${service}</b>${version === undefined ? undefined : html` ${version}`}</a>
<div class="title">${title}</div>
<div class="facts">${joined(facts, ' · ')}</div>`;
}

/** The code in the link, or the code alone: whoever cannot follow it can read it. */
function commitLink({ url, text, id = text }: ChangeRow['commit']): Html {
  if (url === undefined || !isSafeAddress(url)) return html`<code title="${id}">${text}</code>`;
  return html`<a class="code" href="${url}" title="${id}" data-k="commit">${text}</a>`;
}

function waits(row: ChangeRow, frame: Moment): Html {
  const { blocker, state } = row;
  const stale = blocker.stale ? html` <span class="quiet">(not looked at lately)</span>` : undefined;
  return html`<div class="blocker ${state}">${stateShape(state)}${blocker.sentence}${stale}</div>${unblockers(row, frame)}`;
}
