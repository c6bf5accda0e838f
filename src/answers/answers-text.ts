import type { ChangeRow, Group, Person, Unblock } from './change-row.ts';
import { between, cutEnd, oneLine, sayFor, sayMoment } from './words.ts';

/** What a Git host has room for in the description of a status. */
const MAX_STATUS = 140;

/**
 * The answers in one line, for a commit's status, a comment, a badge: `Waiting 23 min for @lin: gate warned (82, needs 90).
 * Then ~14 min, 88 %`.
 *
 * @param now absent: the text says since when instead of for how long, and does not change with time alone
 */
export function answersText({ blocker, unblock, eta, odds, state }: ChangeRow, now?: string): string {
  const { sentence, kind, since } = blocker;
  const isOver = kind === 'none';
  const who = unblock.map((one) => whoText(one)).find((text) => text !== '');
  const head = isOver
    ? sentence
    : `${state === 'failed' ? 'Stopped' : 'Waiting'} ${lasts(since, now)}${state === 'failed' || who === undefined ? '' : ` for ${who}`}: ${sentence}`;
  const machine = eta?.machine ?? eta?.total;
  const soon = eta && machine !== undefined ? eta.text : undefined;
  const likely = odds ? `${Math.round(odds.p * 100)} %` : undefined;
  const then = [soon, likely].filter((part) => part !== undefined).join(', ');
  return cutEnd(oneLine(then === '' || isOver ? head : `${head}. Then ${then}`), MAX_STATUS);
}

function lasts(since: string, now: string | undefined): string {
  if (now !== undefined) return sayFor(between(since, now));
  return `since ${sayMoment(since, since)}`;
}

/** Who unblocks, in words: `You or @omar +2`; empty: nobody has to. */
export function whoText({ who, more, you }: Pick<Unblock, 'who' | 'more' | 'you'>): string {
  const named = who.map((one, at) => (you && at === 0 ? youText(one) : nameText(one)));
  const rest = more > 0 ? ` +${more}` : '';
  return named.length === 0 ? '' : `${named.join(' or ')}${rest}`;
}

function youText(one: Person | Group): string {
  return 'group' in one ? `You (${one.group})` : 'You';
}

function nameText(one: Person | Group): string {
  if ('group' in one) return one.group;
  return one.login === undefined ? one.name : `@${one.login}`;
}
