import { type Html, html } from '../html.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago something was, as short as people say it: `45 s`, `23 min`, `2 h 20 min`, `4 d`. */
export function sayAge(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '0 s';
  if (ms < MINUTE) return `${Math.floor(ms / 1000)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return pair(Math.floor(ms / HOUR), 'h', Math.floor((ms % HOUR) / MINUTE), 'min');
  if (ms < 7 * DAY) return pair(Math.floor(ms / DAY), 'd', Math.floor((ms % DAY) / HOUR), 'h');
  return `${Math.floor(ms / DAY)} d`;
}

function pair(many: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${many} ${unit}` : `${many} ${unit} ${rest} ${restUnit}`;
}

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
