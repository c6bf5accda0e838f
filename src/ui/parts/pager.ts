import { type Html, html } from '../html.ts';

export interface Pages {
  /** How many come before this page, as far as the address says. */
  before: number;
  /** How many this page shows. */
  shown: number;
  total: number;
  /** Address of the first page; absent: this is it. */
  first?: string;
  /** Address of the next page; absent: this is the last. */
  next?: string;
}

/** `1–50 of 212`. */
export function sayPosition({ before, shown, total }: Pages): string {
  if (shown === 0) return `0 of ${total}`;
  return `${before + 1}–${before + shown} of ${Math.max(total, before + shown)}`;
}

/** The way on, and back to the start; nothing where all is on one page. Pages are told by what they begin after: what is new moves nothing. */
export function pager(pages: Pages): Html {
  const { first, next } = pages;
  if (first === undefined && next === undefined) return html``;
  return html`<nav class="pager" aria-label="Pages">${first === undefined ? undefined : html`<a href="${first}" rel="first" data-k="first">‹ first page</a> `}<span>${sayPosition(pages)}</span>${next === undefined ? undefined : html` <a href="${next}" rel="next" data-k="next">next page ›</a>`}</nav>`;
}
