import type { ChangeView } from '../../../views/change.ts';
import type { Frame } from '../../frame.ts';
import { type Content, type Html, html } from '../../html.ts';
import { changeAddress } from '../change-address.ts';

/** What a decision is bound to: whoever decides on something else is told so, and nothing happens. */
export interface Bound {
  change: ChangeView;
  stage: string;
  revision: string;
  evidence?: string;
  /** Of the whole change; absent: not known. */
  rev?: number;
  /** What this page shows of it, in a few words: told again when it has changed meanwhile. */
  seen: string;
}

/** What somebody typed into a form that was refused. */
export interface Typed {
  stage?: string;
  verdict?: string;
  reason: string;
}

export interface Choice {
  verdict: string;
  text: string;
  main?: boolean;
}

const MAX_REASON = 2000;
const MAX_SEEN = 500;

/** A decision as a form. `why`: it cannot be sent by who reads, and this is why. */
export function decisionForm(
  frame: Frame,
  bound: Bound,
  choices: readonly Choice[],
  options: { typed?: Typed | undefined; why?: string | undefined; intro?: Content; more?: Content } = {},
): Html {
  const { change, stage, revision, evidence, rev, seen } = bound;
  const { typed, why, intro, more } = options;
  const fields: [string, string | undefined][] = [
    ['csrf', frame.csrf],
    ['stage', stage],
    ['revision', revision],
    ['evidence', evidence],
    ['rev', rev === undefined ? undefined : String(rev)],
    ['seen', seen.slice(0, MAX_SEEN).toWellFormed()],
  ];
  const isHere = typed !== undefined && (typed.stage ?? stage) === stage;
  const mine = isHere && choices.some(({ verdict }) => verdict === typed.verdict) ? typed : undefined;
  const off = why === undefined ? undefined : html` disabled`;
  return html`<form class="decide" method="post" action="${changeAddress(change.id)}/decisions">
${intro}${fields.map(([name, value]) => (value === undefined ? undefined : html`<input type="hidden" name="${name}" value="${value}">`))}${more}
<label>Reason <textarea name="reason" required maxlength="${MAX_REASON}" autocomplete="off" rows="2"${off}>${
    mine === undefined
      ? ''
      : html`
${mine.reason}`
  }</textarea></label>
<p class="buttons">${choices.map((choice) => html`<button${choice.main ? html` class="main"` : undefined} name="verdict" value="${choice.verdict}" data-k="${choice.verdict}"${off}>${choice.text}</button> `)}</p>
${why === undefined ? undefined : html`<p class="quiet">Not possible for you: ${why}.${frame.viewer === undefined && frame.signIn !== undefined ? html` <a href="${frame.signIn}?to=${encodeURIComponent(frame.path)}">Sign in</a>` : undefined}</p>`}
</form>`;
}
