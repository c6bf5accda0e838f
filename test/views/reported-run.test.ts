import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/answers/step.ts';
import { runFromDocument } from '../../src/forecast/run.ts';
import { BEFORE_DELIVERY, reportedRow } from '../../src/views/reported-run.ts';
import { minute } from '../support/sequence.ts';

const OF = { change: 'ctx', project: 'shop', service: 'checkout', team: 'payments', at: minute(40) };

function step(key: Step['key'], from: number, to: number | undefined, more: Partial<Step> = {}): Step {
  const times = to === undefined ? { startedAt: minute(from) } : { startedAt: minute(from), endedAt: minute(to) };
  return { key, state: 'passed', attempt: 1, human: false, links: [], ...times, ...more };
}

describe('what CI did for a change', () => {
  it('is a run of its own before the first stage, known since the change was delivered', () => {
    const row = reportedRow(OF, [step('review', 6, 30, { human: true }), step('build', 0, 6)]);
    expect(row).toMatchObject({
      kind: 'steps',
      version: 1,
      stage: BEFORE_DELIVERY,
      status: 'passed',
      sort: Date.parse(minute(40)),
    });
    const run = row && runFromDocument(row);
    expect(run).toMatchObject({ change: 'ctx', team: 'payments', startedAt: minute(0), endedAt: minute(30) });
    expect(run?.steps.map((one) => [one.step, one.human])).toEqual([
      ['build', false],
      ['review', true],
    ]);
  });

  it('says what failed, and leaves out what has no times or belongs to a stage', () => {
    const elsewhere = step('sync', 0, 5, { stage: 'staging' });
    const { startedAt: _, ...timeless } = step('image', 0, 5);
    const row = reportedRow(OF, [elsewhere, timeless, step('build', 0, 6, { state: 'failed', detail: 'go test' })]);
    expect(row).toMatchObject({ status: 'failed', data: { steps: [{ step: 'build', cause: 'go test' }] } });
    expect(reportedRow(OF, [elsewhere, timeless])).toBeUndefined();
  });

  it('is nothing while a step of it is under way', () => {
    expect(reportedRow(OF, [step('build', 0, 6), step('image', 6, undefined, { state: 'running' })])).toBeUndefined();
  });
});
