import { wayText } from '../answers/answers-text.ts';
import type { ChangeRow, State } from '../answers/change-row.ts';
import { between, sayFor, sayMoment } from '../answers/words.ts';
import { SHORT_ID } from './changes.ts';
import { oneLine, table, wrap } from './table.ts';

const MARKS: Readonly<Record<State, string>> = {
  passed: '✓',
  warning: '!',
  failed: '✗',
  running: '○',
  waiting: '‖',
  queued: '·',
  idle: '·',
  skipped: '-',
  unknown: '?',
  superseded: '↷',
};

const HEAD = ['CHANGE', 'SERVICE', 'STATE', 'WHERE', 'TIME', 'ODDS'] as const;
const WIDE = [
  'CHANGE',
  'SERVICE',
  'STATE',
  'WHERE',
  'WAITING FOR',
  'WHO',
  'TIME',
  'ODDS',
  'TEAM',
  'AUTHOR',
  'COMMIT',
  'TITLE',
];
/** Narrower, the stages leave no room beside them. */
const ROOM_FOR_TIME = 110;
const INDENT = ' '.repeat(SHORT_ID + 2);

/** Changes with the five answers: a line for where they are, and below it what they wait for and for whom. */
export function changesTable(rows: readonly ChangeRow[], now: string, columns: number): string {
  const withTime = columns >= ROOM_FOR_TIME;
  const short = withTime ? HEAD : HEAD.slice(0, 4);
  const lines = table([short, ...rows.map((row) => placeCells(row, now, withTime))], columns).split('\n');
  const below = rows.map((row) => waitLines(row, now, columns, withTime));
  return [lines[0] ?? '', ...rows.flatMap((_, at) => [lines[at + 1] ?? '', ...(below[at] ?? [])])].join('\n');
}

function placeCells(row: ChangeRow, now: string, withTime: boolean): string[] {
  const { id, service, version, state } = row;
  const place = [
    id.slice(0, SHORT_ID),
    version === undefined ? service : `${service} ${version}`,
    state,
    whereText(row),
  ];
  return withTime ? [...place, timeText(row, now), oddsText(row)] : place;
}

function waitLines(row: ChangeRow, now: string, columns: number, withTime: boolean): string[] {
  const who = whoOf(row, now);
  const time = withTime ? [] : [[timeText(row, now), oddsText(row)].filter((part) => part !== '').join(', ')];
  const text = [who === '' ? row.blocker.sentence : `${row.blocker.sentence} → ${who}`, ...time].join(' · ');
  return wrap(oneLine(text), Math.max(20, columns - INDENT.length)).map((line) => INDENT + line);
}

function oddsText({ odds, afterwards }: ChangeRow): string {
  return odds === null ? (afterwards === undefined ? '' : '0 %') : `${Math.round(odds.p * 100)} %`;
}

/** One line per change with everything, however long that is. */
export function wideTable(rows: readonly ChangeRow[], now: string): string {
  return table([WIDE, ...rows.map((row) => wideCells(row, now))], Number.POSITIVE_INFINITY);
}

function wideCells(row: ChangeRow, now: string): string[] {
  const { id, service, version, state, blocker, odds, afterwards, team, author, commit, title } = row;
  const who = [id, version === undefined ? service : `${service} ${version}`, state, whereText(row), blocker.sentence];
  return [
    ...who,
    whoOf(row, now),
    timeText(row, now),
    odds?.text ?? afterwards?.text ?? '',
    team ?? '',
    author.login ?? author.name,
    commit.text,
    title,
  ];
}

/** A mark per stage, in the order of the delivery. */
export function whereText({ cells }: Pick<ChangeRow, 'cells'>): string {
  return cells.map(({ stage, state }) => `${stage}${MARKS[state] ?? '?'}`).join(' ');
}

/** Who, or when it goes on by itself. */
export function whoOf({ unblock }: Pick<ChangeRow, 'unblock'>, now: string): string {
  const ways = unblock.map((one) => {
    const who = wayText(one);
    return who === '' && one.until !== undefined ? `by itself ${sayMoment(one.until, now)}` : who;
  });
  const [first = '', ...more] = ways.filter((way) => way !== '');
  return more.length === 0 ? first : `${first}; ${more.join('; ')}`;
}

/** How long it has been so, and how long it takes from here. */
export function timeText({ blocker, eta }: Pick<ChangeRow, 'blocker' | 'eta'>, now: string): string {
  const lasts = sayFor(between(blocker.since, now));
  if (blocker.kind === 'none') return `${lasts} ago`;
  return eta === null ? lasts : `${lasts}, then ${eta.text}`;
}
