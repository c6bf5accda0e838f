import { changeRow } from '../../src/answers/answer.ts';
import { wayText } from '../../src/answers/answers-text.ts';
import type { ChangeFacts } from '../../src/answers/change-facts.ts';
import type { Unblock } from '../../src/answers/change-row.ts';
import { between, sayFor } from '../../src/answers/words.ts';
import { goldenAhead, viewer } from '../support/change-rows.ts';

const QUANT = { p10: 420, p50: 840, p90: 1860, n: 34 };
const FORECAST = {
  eta: { total: QUANT, text: '~14 min (7–31)' },
  afterwards: {
    ...{ changes: 7, wentOn: { changes: 2, seconds: 1_500 }, overtaken: { changes: 4 }, basis: 'service' as const },
    text: '0 % by itself; of 7 that failed like this 2 went on (half within 25 min), 4 gave way to a newer change',
  },
  odds: { p: 0.88, lo: 0.71, hi: 0.95, n: 34, basis: 'service' as const, text: '88 % (71–95, 34 runs)' },
};

/** An owner of the service, who may approve in production and nothing else. */
export const OMAR = viewer('omar', {
  groups: ['payments-approvers'],
  roles: ['viewer', 'approver'],
  stages: ['production'],
});

/** Where, what for, who or when, how long, how likely: as somebody reads them at a moment. */
export function fiveAnswers(facts: ChangeFacts, now: string): string[] {
  const row = changeRow(facts, { now, viewer: OMAR, changeOf: () => goldenAhead, forecast: () => FORECAST });
  const ways = row.unblock.map(sayWay).join('; ');
  return [
    `${row.state}: ${row.cells.map(({ stage, state }) => `${stage} ${state}`).join(', ')}`,
    `${row.blocker.kind}: ${row.blocker.sentence}`,
    ways === '' ? 'nobody' : ways,
    `${sayFor(between(row.blocker.since, now))}, then ${row.eta?.text ?? 'nothing'}`,
    row.odds?.text ?? row.afterwards?.text ?? 'nothing',
  ];
}

function sayWay({ until, action, ...one }: Unblock): string {
  const button = action === undefined ? '' : ` [${action.label}${action.allowed ? '' : `: ${action.why}`}]`;
  return `${wayText(one) || 'by itself'}${until === undefined ? '' : ` ${until.slice(11, 16)}`}${button}`;
}
