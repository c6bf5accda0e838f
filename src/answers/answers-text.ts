import type { Afterwards, ChangeRow, Group, Person, Unblock } from './change-row.ts';
import { between, cutEnd, oneLine, sayFor } from './words.ts';

/** What a Git host has room for in the description of a status. */
const MAX_STATUS = 140;

/**
 * The answers in one line, for a commit's status, a comment, a badge: `Waiting 23 min for @lin: gate warned (82, needs 90).
 * Then ~14 min, 88 %`.
 *
 * @param now absent: the text says nothing of how long it has been so, and does not change with time alone
 */
export function answersText({ blocker, unblock, eta, odds, state, afterwards }: ChangeRow, now?: string): string {
  const { sentence, kind, since } = blocker;
  if (kind === 'none') return cutEnd(oneLine(sentence), MAX_STATUS);
  const who = state === 'failed' ? undefined : unblock.map(whoText).find((text) => text !== '');
  const lasts = now === undefined ? '' : ` ${sayFor(between(since, now))}`;
  const head = `${HEADS[state] ?? 'Waiting'}${lasts}${who === undefined ? '' : ` for ${who}`}: `;
  // Of what has failed nobody can say how long it will stand there.
  const soon = state === 'failed' || !(eta?.machine ?? eta?.total) ? undefined : eta.text;
  const likely = odds && state !== 'failed' ? `${Math.round(odds.p * 100)} %` : undefined;
  const then = [soon, likely].filter((part) => part !== undefined).join(', ');
  const tail = then === '' ? likeIt(afterwards) : `. Then ${then}`;
  const room = Math.max(40, MAX_STATUS - head.length - tail.length);
  return cutEnd(oneLine(`${head}${cutEnd(sentence, room)}${tail}`), MAX_STATUS);
}

/** What became of others that failed like this one. */
function likeIt({ changes = 0, wentOn }: Partial<Afterwards> = {}): string {
  return changes === 0 ? '' : `. ${wentOn?.changes ?? 0} of ${changes} like it went on`;
}

/** How a change stands, as the first word about it. */
const HEADS: Readonly<Partial<Record<ChangeRow['state'], string>>> = { failed: 'Stopped', running: 'Running' };

/** Who unblocks, in words: `You or @omar +2`; empty: nobody has to. */
export function whoText({ who, more, you }: Pick<Unblock, 'who' | 'more' | 'you'>): string {
  const named = who.map((one, at) => (you && at === 0 ? youText(one) : nameText(one)));
  const rest = more > 0 ? ` +${more}` : '';
  return named.length === 0 ? '' : `${named.join(' or ')}${rest}`;
}

/** What has to be done by whom: `You or @omar fix`, `@lin lets the line go on`; by nobody: `no owner configured`. */
export function wayText(one: Pick<Unblock, 'who' | 'more' | 'you' | 'does'>): string {
  const { who, more, does = '' } = one;
  const named = whoText(one);
  const isOne = who.length + more === 1 && who.every((person) => !('group' in person)) && !one.you;
  return `${named} ${named === '' || isOne ? does : severally(does)}`.trim();
}

/** `fixes` of one is `fix` of several, and of whoever reads. */
function severally(does: string): string {
  const [verb = '', ...rest] = does.split(' ');
  const base = verb.endsWith('ies') ? `${verb.slice(0, -3)}y` : verb.replace(/(?<=x)es$|s$/, '');
  return [base, ...rest].join(' ');
}

function youText(one: Person | Group): string {
  return 'group' in one ? `You (${one.group})` : 'You';
}

function nameText(one: Person | Group): string {
  if ('group' in one) return one.group;
  return one.login === undefined ? one.name : `@${one.login}`;
}
