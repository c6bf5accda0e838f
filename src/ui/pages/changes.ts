import type { Frame } from '../frame.ts';
import { type Html, html } from '../html.ts';
import { page } from '../layout.ts';
import { notice } from '../parts/notice.ts';
import { pager, sayPosition } from '../parts/pager.ts';
import { sayStop } from '../parts/stops.ts';
import { changeRowHtml } from './change-row.ts';
import { emptyChanges } from './changes-empty.ts';
import { changesAddress } from './changes-filter.ts';
import { filterForm, quickFilters } from './changes-filters.ts';
import type { ChangesScreen } from './changes-screen.ts';

/** Where every change is, what it waits for, who can let it go on, how long, how likely. */
export function changesPage(frame: Frame, screen: ChangesScreen): string {
  const { rows, stops, problems = [] } = screen;
  const body = html`<div class="head"><h1>Where is my change?</h1>${quickFilters(frame, screen)}</div>
${stops.map((stop) => notice('failed', sayStop(stop, frame.now)))}
${problems.map((problem) => notice('unknown', html`${problem} (<a href="/connections">Connections</a>)`))}
${screen.all === 0 ? undefined : html`<div class="narrow">${filterForm(screen)}<p class="position">${sayPosition(pagesOf(screen))}</p></div>`}
<p id="news" class="js-only" hidden></p>
${rows.length === 0 ? emptyChanges(frame, screen) : table(frame, screen)}`;
  return page(frame, 'Changes', body, { description: 'Where every change is and what it waits for' });
}

function table(frame: Frame, screen: ChangesScreen): Html {
  return html`<table class="changes stack" role="table" id="changes">
<caption class="unseen">Changes: where each one is, what it waits for and who can let it go on, how long and how likely</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader" class="what">Change</th><th scope="col" role="columnheader" class="where">Where</th><th scope="col" role="columnheader" class="waits">Waiting for, and who</th><th scope="col" role="columnheader" class="when">Time and odds</th></tr></thead>
<tbody role="rowgroup">
${screen.rows.map((row) => changeRowHtml(row, frame))}
</tbody>
</table>
${pager(pagesOf(screen))}`;
}

function pagesOf({ rows, filter, total, before, next }: ChangesScreen) {
  const at = String(before + rows.length);
  return {
    before,
    shown: rows.length,
    total,
    ...(before === 0 ? {} : { first: changesAddress(filter) }),
    ...(next === undefined ? {} : { next: changesAddress(filter, { cursor: next, at }) }),
  };
}
