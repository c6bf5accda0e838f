import { type Html, html } from '../html.ts';
import { sayAge } from './age.ts';

export { sayAge } from './age.ts';

/** How long it is since a moment: `23 min`; `data-since` lets the page count on. */
export function since(iso: string, now: string): Html {
  const age = sayAge(Date.parse(now) - Date.parse(iso));
  return html`<time datetime="${iso}" title="${exactly(iso)}" data-since="${iso}">${age}</time>`;
}

/** `23 min ago`. */
export function ago(iso: string, now: string): Html {
  return html`${since(iso, now)} ago`;
}

/** The time of day, with the date where that is another day than the page's. */
export function clockTime(iso: string, now: string): Html {
  const text = iso.slice(0, 10) === now.slice(0, 10) ? clockText(iso) : `${dayText(iso)} ${clockText(iso)}`;
  return html`<time datetime="${iso}" title="${exactly(iso)}">${text}</time>`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12:02`, in UTC. */
export function clockText(iso: string): string {
  return iso.slice(11, 16);
}

/** `21 Nov`. */
export function dayText(iso: string): string {
  return `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1] ?? ''}`;
}

/** A moment as people read it, with the exact one at hand. */
export function moment(iso: string): Html {
  return html`<time datetime="${iso}" title="${iso}">${exactly(iso)}</time>`;
}

/** Where the second does not matter. */
export function minute(iso: string): Html {
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;
}

function exactly(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}
