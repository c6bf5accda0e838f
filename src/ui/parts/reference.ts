import type { Ref } from '../../answers/change-row.ts';
import { short } from '../../engine/revisions.ts';
import { type Html, html, link } from '../html.ts';

/** Something that lives elsewhere. With `copy`, what is cut short can be taken along in full. */
export function reference(ref: Ref, options: { copy?: boolean; what?: string } = {}): Html {
  const { text, url, id } = ref;
  const words = id === undefined ? html`${text}` : html`<code title="${id}">${text}</code>`;
  const named = url === undefined ? words : link(url, words);
  if (!options.copy || id === undefined) return named;
  return html`${named}${copyButton(id, `${options.what ?? 'commit'} ${text}`)}`;
}

/** Puts a text where it can be pasted; there with a script only, as it needs one. */
export function copyButton(text: string, what: string): Html {
  return html` <button type="button" class="copy js-only" data-copy="${text}" aria-label="Copy ${what}">Copy</button>`;
}

/** A commit or digest as people know it, in full on hover and for copying. */
export function shortCommit(revision: string): Html {
  return html`<code title="${revision}">${short(revision)}</code>`;
}
