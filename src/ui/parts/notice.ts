import type { State } from '../../answers/change-row.ts';
import { type Content, type Html, html } from '../html.ts';
import { stateShape } from './state.ts';

/** Something that whoever reads the page has to know first. `urgent` is read out at once. */
export function notice(state: State, content: Content, urgent: boolean = state === 'failed'): Html {
  return html`<p class="notice ${state}"${urgent ? html` role="alert"` : undefined}>${stateShape(state)}<span>${content}</span></p>`;
}

/** Nothing to show: why, and what to do. */
export function emptyState(title: string, body: Content): Html {
  return html`<section class="empty"><h2>${title}</h2>${body}</section>`;
}

/** A command as it is typed, ready to be copied. */
export function command(text: string): Html {
  return html`<div class="command"><pre tabindex="0">${text}</pre><button type="button" class="copy js-only" data-copy="${text}" aria-label="Copy the command">Copy</button></div>`;
}
