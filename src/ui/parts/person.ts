import type { Group, Person } from '../../answers/change-row.ts';
import { type Html, html } from '../html.ts';

/** Somebody with their initials; no picture is fetched from anywhere. */
export function person({ name, login }: Person): Html {
  return html`<span class="person"${login === undefined ? '' : html` title="${login}"`}><span class="initials" aria-hidden="true">${initials(name)}</span>${name}</span>`;
}

/** At most two letters: of the first and the last word. */
export function initials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? '?')][0]?.toUpperCase() ?? '?').join('');
}

/** How people and groups are called in a sentence: `@lin`, `payments-approvers`. */
export function handle(one: Person | Group): string {
  if ('group' in one) return one.group;
  return one.login === undefined ? one.name : `@${one.login}`;
}
