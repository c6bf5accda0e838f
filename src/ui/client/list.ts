import { restoreFields } from './drafts.ts';
import { tendGrids } from './grid.ts';
import { patch } from './morph.ts';
import { all, byId, element, parse } from './page.ts';
import { say } from './say.ts';
import { countOn } from './times.ts';

export interface Row {
  id: string;
  rev: number;
  html: string;
  say: string;
}

export interface Facets {
  ids?: readonly string[];
  facets?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  total?: number;
  updated: number;
}

function rowOf(id: string): HTMLElement | null {
  return byId(`row-${id}`);
}

function revOf(row: Element): number {
  return Number(row.getAttribute('data-rev'));
}

/** Whether the page shows an older one. */
export function isNews({ id, rev }: Row): boolean {
  const row = rowOf(id);
  return row !== null && revOf(row) < rev;
}

/** A row as it is now, in its place. One that is not on the page is told of by `showFacets`. */
export function showRow({ id, rev, html, say: text }: Row): void {
  const row = rowOf(id);
  const next = element(html);
  if (!row || !next || revOf(row) > rev) return;
  const blocker = row.querySelector('.blocker')?.textContent;
  patch(row, next);
  mend();
  if (blocker === next.querySelector('.blocker')?.textContent) return;
  say(text);
  row.classList.add('updated');
}

/** How many there are of what, and how many more the page would show. */
export function showFacets({ ids, facets, total, updated }: Facets): void {
  if (ids) offer(ids.filter((id) => !rowOf(id)).length, updated);
  else offer(undefined, updated);
  const { state } = facets ?? {};
  if (!facets || !state) return;
  const count = (text: string, ...names: string[]) => {
    const place = document.querySelector(`[data-k="chip-${text}"] b`);
    if (place) place.textContent = String(names.reduce((sum, name) => sum + (state[name] ?? 0), 0));
  };
  count('Stopped', 'failed');
  count('Moving', 'queued', 'running');
  for (const option of all<HTMLOptionElement>('.filters option')) {
    const name = option.closest('select')?.name ?? '';
    const number = facets[name]?.[option.value];
    if (number !== undefined) option.text = `${option.value} (${number})`;
  }
  const place = document.querySelector('.position');
  if (place) place.textContent = (place.textContent ?? '').replace(/\d+$/, String(total));
}

let fresh = 0;

/** What is new waits until the reader asks for it: nothing that they look at moves away. */
function offer(count: number | undefined, updated: number): void {
  const news = byId('news');
  if (!news) return;
  fresh = count ?? fresh;
  const words = [
    ...(fresh > 0 ? [`${fresh} new change${fresh === 1 ? '' : 's'}`] : []),
    ...(updated > 0 ? [`${updated} updated`] : []),
  ];
  news.hidden = words.length === 0;
  const link = document.createElement('a');
  link.href = location.pathname + location.search;
  link.textContent = 'show';
  link.dataset.k = 'news';
  const text = `${words.join(', ')} · `;
  if (news.firstChild?.nodeValue !== text) news.replaceChildren(text, link);
}

let tag = '';

/** Reads this page again and shows what is different; a list keeps its rows and their order. Throws without an answer. */
export async function readAgain(): Promise<void> {
  const answer = await fetch(address(), {
    // Nobody need be there: this does not keep a session alive.
    headers: { 'If-None-Match': tag, Accept: 'text/html', 'X-Lynceus-By-Itself': '1' },
    cache: 'no-store',
  });
  if (answer.status === 304) return;
  // Signed out, or gone: the page that is there says more than the one that would come.
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  tag = answer.headers.get('ETag') ?? '';
  const page = parse(await answer.text());
  const [now, next] = [byId('main'), page.getElementById('main')];
  if (!now || !next) return;
  const [rows, coming] = [now.querySelector('#changes tbody'), next.querySelector('#changes tbody')];
  if (rows && coming) {
    const found = all('tr', coming);
    for (const row of found) {
      const here = byId(row.id);
      if (here && revOf(here) <= revOf(row)) patch(here, row);
    }
    offer(found.filter(({ id }) => !byId(id)).length, 0);
    coming.replaceWith(rows.cloneNode(true));
    next.querySelector('#news')?.replaceWith(byId('news')?.cloneNode(true) ?? '');
  }
  patch(now, next);
  mend();
}

/** What the page chose to show in detail stays chosen: what is newer waits to be asked for. */
function address(): string {
  const url = new URL(location.href);
  const { e } = byId('evaluation')?.dataset ?? {};
  if (e && !url.searchParams.has('e')) url.searchParams.set('e', e);
  return url.href;
}

/** What the server leaves to the page. */
function mend(): void {
  restoreFields();
  tendGrids();
  countOn();
}
