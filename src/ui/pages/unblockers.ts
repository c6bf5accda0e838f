import type { Action, ChangeRow, Unblock } from '../../answers/change-row.ts';
import type { Moment } from '../frame.ts';
import { type Content, type Html, html, isSafeAddress, joined } from '../html.ts';
import { handle } from '../parts/person.ts';
import { clockTime } from '../parts/time.ts';
import { changeAddress } from './change-address.ts';

/** Who can let a change go on, or when it goes on by itself, with what they can do right here. */
export function unblockers(row: ChangeRow, frame: Moment): Html {
  if (row.unblock.length === 0)
    return html`<div class="who quiet">${row.blocker.kind === 'none' ? '' : 'Nobody has to act'}</div>`;
  return html`${row.unblock.map((way, at) => html`<div class="who">${sayWay(way, row, frame)}${action(way.action, row, at)}</div>`)}`;
}

function sayWay(way: Unblock, row: ChangeRow, frame: Moment): Html {
  const { who, more, you, until, does } = way;
  const names: Content[] = [...(you ? [yourself(who[0])] : []), ...who.slice(you ? 1 : 0).map(handle)];
  const people =
    names.length > 0
      ? html`${joined(names.slice(0, -1), ', ')}${names.length > 1 ? ' or ' : ''}${names.at(-1)}${more > 0 ? ` +${more}` : ''}`
      : undefined;
  const alone = names.length === 1 && (you || isMany(who[0]));
  return joined(
    [
      people,
      does !== undefined && alone ? forYou(does) : does,
      people === undefined && until === undefined && does === undefined ? 'no owner configured' : undefined,
      until === undefined ? undefined : html`${untilWords(row, people !== undefined)} ${clockTime(until, frame.now)}`,
    ],
    ' ',
  );
}

/** What waits for people does not go on by itself: it is given up then. */
function untilWords({ blocker }: ChangeRow, beside: boolean): string {
  if (blocker.kind === 'approval' || blocker.kind === 'review') return beside ? 'until' : 'Expires';
  return beside ? 'or by itself about' : 'By itself about';
}

/** `operators` do something; `payments` does. */
function isMany(one: Unblock['who'][number] | undefined): boolean {
  return one !== undefined && 'group' in one && /(?:er|or)s$/.test(one.group);
}

/** `approves` of somebody is `approve` of you. */
function forYou(does: string): string {
  const [verb = '', ...rest] = does.split(' ');
  const own = verb
    .replace(/ies$/, 'y')
    .replace(/(?<=x|ch|sh|ss)es$/, '')
    .replace(/(?<!s)s$/, '');
  return [own, ...rest].join(' ');
}

/** Whoever reads comes first, by name or with the group that makes it theirs. */
function yourself(first: Unblock['who'][number] | undefined): Html {
  const group = first !== undefined && 'group' in first ? ` (${first.group})` : '';
  return html`<b class="you">You</b>${group}`;
}

/** Leads to where it is decided, with the evidence in view; nothing is decided in a list. */
function action(one: Action | undefined, row: ChangeRow, at: number): Html | undefined {
  if (one === undefined) return undefined;
  if (!one.allowed) return one.why === undefined ? undefined : html` <span class="quiet">(${one.why})</span>`;
  const href = one.method === 'GET' && isSafeAddress(one.href) ? one.href : `${changeAddress(row.id)}#decision`;
  return html` <a class="button" href="${href}" data-k="act-${at}">${one.label}</a>`;
}
