import type { ChangeRow } from '../answers/change-row.ts';
import type { Step } from '../answers/step.ts';
import { between, sayFor, sayMoment } from '../answers/words.ts';
import type { ChangeView } from '../views/change.ts';
import { asJson, findChange, type JourneyView } from './changes.ts';
import type { ShowOptions } from './changes-options.ts';
import { timeText, whereText, whoOf } from './changes-table.ts';
import { EXIT, type Terminal } from './command.ts';
import { oneLine, table, wrap } from './table.ts';

/** Shows one change: the five answers, and below them its journey. */
export async function showChange(terminal: Terminal, options: ShowOptions, id: string): Promise<number> {
  const change = await findChange(terminal, options, id);
  if (!change) return EXIT.failed;
  if (options.output === 'json') terminal.out(asJson(change));
  else terminal.out(textOf(change, terminal.columns, new Date().toISOString()).join('\n'));
  return EXIT.ok;
}

function textOf(change: ChangeView & JourneyView, columns: number, now: string): string[] {
  const { row, steps = [], service, summary } = change;
  const head = row ? answers(row, columns, now) : [oneLine(`${service}: ${summary}`)];
  return steps.length === 0 ? head : [...head, '', journey(steps, columns, now)];
}

function answers(row: ChangeRow, columns: number, now: string): string[] {
  const { service, version, title, author, commit, pr, team, blocker, odds, afterwards, warnedBefore, state } = row;
  const by = [author.login ?? author.name, team, commit.text, pr?.text].filter(
    (part) => part !== undefined && part !== '',
  );
  const named = version === undefined ? service : `${service} ${version}`;
  const lines: [string, string][] = [
    ['Where', `${state}: ${whereText(row)}`],
    ['Waits for', blocker.sentence],
    ['Who', whoOf(row, now) || 'nobody'],
    ['Time', timeText(row, now)],
    ['Odds', odds?.text ?? afterwards?.text ?? '-'],
    ...(warnedBefore === undefined ? [] : [['Before', warnedBefore.text] as [string, string]]),
  ];
  return [
    ...wrap(oneLine(`${named}: ${title}`), columns),
    ...wrap(oneLine(by.join(' · ')), columns),
    ...lines.flatMap(([label, text]) => labelled(label, text, columns)),
  ];
}

const LABEL_WIDTH = 11;

function labelled(label: string, text: string, columns: number): string[] {
  const lines = wrap(oneLine(text), Math.max(20, columns - LABEL_WIDTH));
  return lines.map((line, at) => `${(at === 0 ? label : '').padEnd(LABEL_WIDTH)}${line}`);
}

const HEAD = ['BEGAN', 'STAGE', 'STEP', 'STATE', 'TOOK', 'WHAT'] as const;

function journey(steps: readonly Step[], columns: number, now: string): string {
  return table([HEAD, ...steps.map((step) => stepCells(step, now))], columns);
}

function stepCells({ stage, key, state, attempt, startedAt, endedAt, detail, cluster, human }: Step, now: string) {
  const took = startedAt === undefined ? '' : sayFor(between(startedAt, endedAt ?? now));
  return [
    startedAt === undefined ? '' : sayMoment(startedAt, now),
    stage ?? '',
    `${key}${attempt > 1 ? ` (${attempt})` : ''}${cluster === undefined ? '' : ` ${cluster}`}`,
    state,
    took === '' ? '' : `${took}${endedAt === undefined ? ' so far' : ''}${human ? ', people' : ''}`,
    detail ?? '',
  ];
}
