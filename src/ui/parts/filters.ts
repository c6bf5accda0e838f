import type { State } from '../../answers/change-row.ts';
import { type Html, html } from '../html.ts';
import { stateShape } from './state.ts';

export interface Chip {
  text: string;
  href: string;
  current: boolean;
  /** How many there are; absent: not counted. */
  count?: number;
  state?: State;
}

/** Filters that one click sets or takes away. */
export function chips(label: string, all: readonly Chip[]): Html {
  return html`<ul class="chips" aria-label="${label}">${all.map((one) => html`<li>${chip(one)}</li>`)}</ul>`;
}

function chip({ text, href, current, count, state }: Chip): Html {
  return html`<a class="chip${state === undefined ? '' : ` ${state}`}" href="${href}"${current ? html` aria-current="true"` : undefined} data-k="chip-${text}">${state === undefined ? undefined : stateShape(state)}${text}${count === undefined ? undefined : html` <b>${count}</b>`}</a>`;
}

export interface Choice {
  value: string;
  text?: string;
  count?: number;
}

/** A list to choose from in a filter form; the first entry takes the filter away. */
export function choose(name: string, label: string, choices: readonly Choice[], chosen: string | undefined): Html {
  const missing = chosen !== undefined && chosen !== '' && !choices.some(({ value }) => value === chosen);
  const all = missing ? [{ value: chosen }, ...choices] : choices;
  return html`<label class="choose"><span>${label}</span> <select name="${name}"><option value="">any</option>${all.map((one) => option(one, chosen))}</select></label>`;
}

/** A name to be typed, for filters with more values than anybody wants to scroll through; `known` are offered. */
export function nameField(name: string, label: string, known: readonly string[], typed: string | undefined): Html {
  const offered = known.slice(0, MOST_OFFERED);
  const list = offered.length === 0 ? undefined : html` list="known-${name}"`;
  return html`<label class="choose"><span>${label}</span> <input name="${name}" value="${typed}" placeholder="any" autocomplete="off" spellcheck="false" maxlength="200"${list}></label>${
    offered.length === 0
      ? undefined
      : html`<datalist id="known-${name}">${offered.map((value) => html`<option value="${value}">`)}</datalist>`
  }`;
}

/** Those of the rows in view; the rest is typed. */
const MOST_OFFERED = 20;

function option({ value, text, count }: Choice, chosen: string | undefined): Html {
  const words = `${text ?? value}${count === undefined ? '' : ` (${count})`}`;
  return html`<option value="${value}"${value === chosen ? html` selected` : undefined}>${words}</option>`;
}
