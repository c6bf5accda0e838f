import { describe, expect, it } from 'vitest';
import type { Evaluation, IndicatorResult } from '../../src/slo/evaluation.ts';
import { breakdown } from '../../src/views/evaluation-breakdown.ts';
import type { EvaluationView } from '../../src/views/evaluation-document.ts';
import { heatMap, MAX_BINS } from '../../src/views/evaluations.ts';

const PLACE = { project: 'shop', stage: 'staging', service: 'checkout' };
const HOUR_MS = 3_600_000;

function indicator(sli: string, change: Partial<IndicatorResult> = {}): IndicatorResult {
  return {
    sli,
    displayName: sli,
    keySli: false,
    weight: 1,
    value: 100,
    status: 'pass',
    score: change.status === 'fail' ? 0 : 1,
    passTargets: [{ criteria: '<=200', targetValue: 200, violated: change.status === 'fail' }],
    warningTargets: [],
    ...change,
  };
}

/** The nth evaluation of the place. */
function evaluated(nth: number, indicators: IndicatorResult[], change: Partial<EvaluationView> = {}): EvaluationView {
  const result = indicators.some(({ status }) => status === 'fail') ? 'fail' : 'pass';
  const evaluation: Evaluation = {
    result,
    score: result === 'fail' ? 50 : 100,
    thresholds: { pass: 90, warning: 75 },
    indicators,
    message: `evaluation ${nth}`,
    compared: nth > 1 ? [`e${nth - 1}`] : [],
  };
  return {
    ...{ id: `e${nth}`, ...PLACE, context: `change-${nth}`, state: 'finished', status: 'succeeded', result },
    finishedAt: new Date(Date.UTC(2026, 10, 1) + nth * HOUR_MS).toISOString(),
    evaluation,
    ...change,
  };
}

/** With whatever stands where the indicators should be. */
function odd(nth: number, indicators: unknown): EvaluationView {
  const view = evaluated(nth, []);
  return { ...view, evaluation: { ...view.evaluation, indicators } as unknown as Evaluation };
}

const marks = { pass: '✓', warning: '!', fail: '✕', info: '·', none: '–' } as const;
/** As the page draws it: `p95 ✓✕✓`. */
function drawn(views: readonly EvaluationView[], most?: number): string[] {
  const { slis, cells } = heatMap([...views].reverse(), most);
  return slis.map(({ name }, at) => `${name} ${cells[at]?.map(({ state }) => marks[state]).join('')}`);
}

describe('a heat map', () => {
  it('has what fails now first, then key objectives, then the rest by name, and what is gone last', () => {
    const now = [
      indicator('b'),
      indicator('a'),
      indicator('latency', { keySli: true }),
      indicator('errors', { status: 'fail' }),
    ];
    const views = [evaluated(1, [indicator('old'), indicator('a', { status: 'fail' })]), evaluated(2, now)];
    expect(drawn(views)).toEqual(['errors –✕', 'latency –✓', 'a ✕✓', 'b –✓', 'old ✓–']);
    expect(heatMap([...views].reverse()).slis.map(({ current }) => current)).toEqual([true, true, true, true, false]);
  });

  it('tells two objectives of one name apart, and keeps a column of one evaluation one column', () => {
    const twice = [indicator('p95'), indicator('p95', { status: 'fail', displayName: 'p95, stricter' })];
    const { slis, columns, cells } = heatMap([evaluated(2, twice), evaluated(1, twice)]);
    expect(columns).toHaveLength(2);
    expect(new Set(slis.map(({ key }) => key)).size).toBe(2);
    expect(cells.map((row) => row.map(({ state }) => state))).toEqual([
      ['fail', 'fail'],
      ['pass', 'pass'],
    ]);
  });

  it('gives names that differ in a sign only different anchors, without blanks', () => {
    const { slis } = heatMap([
      evaluated(
        1,
        ['a b', 'a_b', 'a:20:b', 'ä', '😀'].map((sli) => indicator(sli)),
      ),
    ]);
    expect(new Set(slis.map(({ key }) => key)).size).toBe(5);
    for (const { key } of slis) expect(key).toMatch(/^[A-Za-z0-9:_.-]+$/);
  });

  it('shows what could not be judged as a column of its own, that is neither good nor bad', () => {
    const views = [
      evaluated(1, [indicator('p95')]),
      { ...evaluated(2, []), status: 'errored', evaluation: undefined } as unknown as EvaluationView,
      evaluated(3, []),
      evaluated(4, [indicator('p95')]),
    ];
    const { columns } = heatMap([...views].reverse());
    expect(columns.map(({ result, score }) => [result, score])).toEqual([
      ['pass', 100],
      ['errored', undefined],
      ['pass', 100],
      ['pass', 100],
    ]);
    expect(drawn(views)).toEqual(['p95 ✓––✓']);
  });

  it('has columns but no rows where nobody wrote an SLO, and neither where there is nothing', () => {
    expect(heatMap([evaluated(1, [])])).toMatchObject({ slis: [], cells: [], evaluations: 1 });
    expect(heatMap([])).toEqual({ slis: [], columns: [], cells: [], evaluations: 0 });
  });

  it('leaves out what is under way', () => {
    expect(heatMap([evaluated(1, [indicator('p95')], { state: 'running' })]).evaluations).toBe(0);
  });

  it('survives what an older version, or JSON, made of it', () => {
    const views = [
      odd(1, [indicator('nan', { value: Number.NaN, weight: Number.NaN })]),
      odd(2, [{ ...indicator('null'), value: null }]),
      odd(3, [null, { noSli: true }]),
      odd(4, 'nothing'),
      odd(5, [{ ...indicator('x'), passTargets: undefined, status: 'odd' }]),
    ];
    const { slis, cells, columns } = heatMap([...views].reverse());
    expect(columns).toHaveLength(5);
    expect(slis.map(({ name }) => name)).toEqual(['x', 'nan', 'null']);
    expect(cells.flat().every(({ value }) => value === undefined || Number.isFinite(value))).toBe(true);
    for (const view of views) expect(breakdown(view).rows.every(({ weight }) => Number.isFinite(weight))).toBe(true);
  });

  it('shares columns beyond the limit, shows the worst of each, and moves none of the newest as more come', () => {
    const many = Array.from({ length: 130 }, (_, at) =>
      evaluated(at + 1, [indicator('p95', at === 64 ? { status: 'fail' } : {})]),
    );
    const { columns, evaluations, cells } = heatMap([...many].reverse(), 60);
    expect(evaluations).toBe(130);
    expect(columns.length).toBeLessThanOrEqual(60);
    expect(columns.reduce((sum, { count }) => sum + count, 0)).toBe(130);
    const failed = columns.findIndex(({ id }) => id === 'e65');
    expect(columns[failed]).toMatchObject({ result: 'fail', score: 50, count: 3 });
    expect(cells[0]?.filter(({ state }) => state === 'fail')).toHaveLength(1);
    expect(columns.at(-1)).toMatchObject({ id: 'e130', count: 3 });
  });

  it('never has more columns than anybody is sent', () => {
    const many = Array.from({ length: 1000 }, (_, at) => evaluated(at, [indicator('p95')])).reverse();
    expect(heatMap(many, 100_000).columns.length).toBeLessThanOrEqual(MAX_BINS);
  });
});

describe('the breakdown of an evaluation', () => {
  it('has points out of a hundred, changes both ways, and what was missed first', () => {
    const rows = [
      indicator('cpu', { weight: 2, score: 2 }),
      indicator('info', { status: 'info', weight: 1, score: 0 }),
      indicator('throughput', {
        ...{ status: 'warning', weight: 1, score: 0.5, value: 2110, comparedValue: 2400, change: -290, unit: 'rps' },
        passTargets: [
          { criteria: '<=5000', targetValue: 5000, violated: false },
          { criteria: '>=-10%', targetValue: 2160, violated: true },
        ],
      }),
    ];
    const found = breakdown(evaluated(1, rows));
    expect(found.rows.map(({ name }) => name)).toEqual(['throughput', 'cpu', 'info']);
    const [throughput, cpu, info] = found.rows;
    expect(throughput?.relative).toBeCloseTo(-0.1208, 4);
    expect(throughput?.pass.map(({ criteria }) => criteria)).toEqual(['>=-10%', '<=5000']);
    expect(throughput?.points?.reached).toBeCloseTo(16.667, 3);
    expect(throughput?.points?.possible).toBeCloseTo(33.333, 3);
    expect(cpu?.points?.reached).toBeCloseTo(66.667, 3);
    expect(info?.points).toBeUndefined();
    expect(found.weight).toBe(3);
  });

  it('says no share of a change from nothing', () => {
    const rows = [indicator('errors', { comparedValue: 0, change: 3, value: 3 })];
    expect(breakdown(evaluated(1, rows)).rows[0]).not.toHaveProperty('relative');
  });

  it('of what could not be judged has the reason, and no score', () => {
    const view = { ...evaluated(1, []), status: 'errored', message: 'Prometheus did not answer' };
    const { sentence, result, score } = breakdown({ ...view, evaluation: undefined } as unknown as EvaluationView);
    expect({ sentence, result, score }).toEqual({
      sentence: 'Prometheus did not answer',
      result: 'errored',
      score: undefined,
    });
  });
});
