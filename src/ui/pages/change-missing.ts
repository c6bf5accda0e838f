import type { ChangeRow } from '../../answers/change-row.ts';
import type { Frame } from '../frame.ts';
import { html } from '../html.ts';
import { page } from '../layout.ts';
import { changeAddress } from './change-address.ts';
import { changesAddress } from './changes-filter.ts';

/** No change has this id: what may have been meant, and where to look. */
export function missingChangePage(frame: Frame, id: string, rows: readonly ChangeRow[]): string {
  const found = rows.map(
    (row) =>
      html`<li><a href="${changeAddress(row.id)}">${row.service} ${row.version ?? row.commit.text}</a>: ${row.title}</li>`,
  );
  const body = html`<h1>There is no change ${id}</h1>
<p>There may have been one: changes are kept as long as their events are. What is named by a commit, a pull request or a version can be found by it.</p>
${found.length === 0 ? undefined : html`<h2>Did you mean</h2><ul>${found}</ul>`}
<p><a class="button" href="${changesAddress({ q: id })}">Look for ${id}</a> <a class="button" href="/changes">All changes</a></p>
<p class="quiet">404 · <code>not-found</code></p>`;
  return page(frame, 'There is no such change', body);
}
