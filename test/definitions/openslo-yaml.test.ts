import { describe, expect, it } from 'vitest';
import { parseOpenSlo } from '../../src/definitions/openslo-yaml.ts';
import { type Parsed, sayProblem } from '../../src/definitions/problem.ts';
import type { BudgetDocument } from '../../src/slo/budget-objective.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function say(parsed: Parsed<unknown>): string {
  return parsed.ok ? 'accepted' : parsed.problems.map(sayProblem).join('\n');
}

function read(text: string): BudgetDocument {
  const parsed = parseOpenSlo(text, 'slo.yaml');
  if (!parsed.ok) throw new Error(say(parsed));
  return parsed.value;
}

const prometheus = (query: string) => `{metricSource: {type: Prometheus, spec: {query: '${query}'}}}`;
const GOOD = `{good: ${prometheus('sum(rate(good[$WINDOW]))')}, total: ${prometheus('sum(rate(all[$WINDOW]))')}}`;

/** An SLO with some of its parts written otherwise; an empty part is left out. */
const slo = (ratio: string, changes: Record<string, string> = {}, name = 'cart') => {
  const parts = {
    budgetingMethod: 'Occurrences',
    timeWindow: '[{duration: 30d, isRolling: true}]',
    objectives: '[{target: 0.999}]',
    indicator: `{spec: {ratioMetric: ${ratio}}}`,
    service: 'cart',
    ...changes,
  };
  const spec = Object.entries(parts).flatMap(([key, value]) => (value === '' ? [] : [`  ${key}: ${value}\n`]));
  return `apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: ${name}}\nspec:\n${spec.join('')}`;
};
const object = (kind: string, name: string, spec: string) =>
  `---\napiVersion: openslo/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const calendar = (duration: string, start = '2026-01-01 00:00:00', zone = 'Europe/Vienna') =>
  `[{duration: ${duration}, isRolling: false, calendar: {startTime: ${start}, timeZone: ${zone}}}]`;
const burn = (rest: string) => `{severity: page, condition: {kind: burnrate, ${rest}}}`;
const LIMIT = burn('op: gt, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m');

describe('an OpenSLO file', () => {
  it('gives the budget of its SLO', () => {
    expect(read(slo(GOOD))).toEqual({
      name: 'cart',
      service: 'cart',
      composite: false,
      burnLimits: [],
      objectives: [
        {
          name: '',
          target: 0.999,
          window: { kind: 'rolling', ms: 30 * DAY },
          method: 'occurrences',
          measure: { kind: 'counts', good: 'sum(rate(good[$WINDOW]))', total: 'sum(rate(all[$WINDOW]))' },
        },
      ],
    });
  });

  it.each([
    [
      'bad and total',
      `{bad: ${prometheus('a[$WINDOW]')}, total: ${prometheus('b[$WINDOW]')}}`,
      { kind: 'counts', bad: 'a[$WINDOW]', total: 'b[$WINDOW]' },
    ],
    [
      'a raw share of failures',
      `{rawType: failure, raw: ${prometheus('a[$WINDOW]')}}`,
      { kind: 'ratio', query: 'a[$WINDOW]', of: 'errors' },
    ],
    [
      'a raw share of successes',
      `{rawType: success, raw: ${prometheus('a[$WINDOW]')}}`,
      { kind: 'ratio', query: 'a[$WINDOW]', of: 'successes' },
    ],
    [
      "Sloth's placeholder",
      `{rawType: failure, raw: ${prometheus('a[{{ .window }}]')}}`,
      { kind: 'ratio', query: 'a[$WINDOW]', of: 'errors' },
    ],
    [
      'counters',
      `{counter: true, bad: ${prometheus('a{code=~"5.."}')}, total: ${prometheus('a')}}`,
      { kind: 'counts', bad: 'sum(increase(a{code=~"5.."}[$WINDOW]))', total: 'sum(increase(a[$WINDOW]))' },
    ],
    [
      'queries under "promql"',
      '{rawType: failure, raw: {metricSource: {spec: {promql: "a[$WINDOW]"}}}}',
      { kind: 'ratio', query: 'a[$WINDOW]', of: 'errors' },
    ],
  ])('measures by %s', (_what, ratio, measure) => {
    expect(read(slo(ratio)).objectives[0]?.measure).toEqual(measure);
  });

  it('may state its target in percent', () => {
    expect(read(slo(GOOD, { objectives: '[{targetPercent: 99.9}]' })).objectives[0]?.target).toBe(0.999);
  });

  it.each([
    ['Timeslices', '[{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5m}]', { widthMs: 300_000, target: 0.95 }],
    ['RatioTimeslices', '[{target: 0.99, timeSliceWindow: 1m}]', { widthMs: 60_000 }],
  ])('may budget by %s', (budgetingMethod, objectives, slices) => {
    expect(read(slo(GOOD, { budgetingMethod, objectives })).objectives[0]).toMatchObject({
      method: budgetingMethod === 'Timeslices' ? 'timeslices' : 'ratio-timeslices',
      slices,
    });
  });

  it('may count the samples of a gauge', () => {
    const indicator = `{spec: {thresholdMetric: ${prometheus('latency')}}}`;
    expect(read(slo('', { indicator, objectives: '[{op: lt, value: 500, target: 0.9}]' })).objectives[0]).toMatchObject(
      {
        measure: { kind: 'samples', query: 'latency', op: 'lt', value: 500 },
      },
    );
  });

  it.each([
    ['1M', { unit: 'month', count: 1 }],
    ['1Q', { unit: 'quarter', count: 1 }],
    ['2w', { unit: 'week', count: 2 }],
  ])('may count by a calendar: %s', (duration, window) => {
    expect(read(slo(GOOD, { timeWindow: calendar(duration) })).objectives[0]?.window).toEqual({
      kind: 'calendar',
      start: '2026-01-01T00:00:00',
      timeZone: 'Europe/Vienna',
      ...window,
    });
  });

  it('may have several objectives, each by its name or its target', () => {
    const { objectives } = read(slo(GOOD, { objectives: '[{displayName: Ours, target: 0.995}, {target: 0.99}]' }));
    expect(objectives.map(({ name, target }) => [name, target])).toEqual([
      ['Ours', 0.995],
      ['99 %', 0.99],
    ]);
  });

  it('may be a composite of indicators with weights', () => {
    const part = (name: string, weight: string) =>
      `{displayName: ${name}, target: 0.99, ${weight}indicator: {spec: {ratioMetric: ${GOOD}}}}`;
    const objectives = `[${part('read', 'compositeWeight: 3, ')}, ${part('write', '')}]`;
    const found = read(slo('', { indicator: '', objectives }));
    expect(found.composite).toBe(true);
    expect(found.objectives.map(({ name, weight }) => [name, weight])).toEqual([
      ['read', 3],
      ['write', undefined],
    ]);
  });

  it('may hold SLI, data source, alerts and service as documents of their own', () => {
    const text = [
      slo('', { indicator: '', indicatorRef: 'errors', alertPolicies: '[fast, {alertPolicyRef: slow}]' }),
      object(
        'SLI',
        'errors',
        '{ratioMetric: {rawType: failure, raw: {metricSource: {metricSourceRef: dd, spec: {query: q}}}}}',
      ),
      object('DataSource', 'dd', '{type: Datadog, connectionDetails: {url: "https://example.com"}}'),
      object('AlertPolicy', 'fast', '{conditions: [{conditionRef: c}], notificationTargets: [{targetRef: mail}]}'),
      object('AlertCondition', 'c', LIMIT),
      object(
        'AlertPolicy',
        'slow',
        `{conditions: [{kind: AlertCondition, metadata: {name: s}, spec: ${burn('threshold: 1, lookbackWindow: 3d').replace('page', 'ticket')}}]}`,
      ),
      object('AlertNotificationTarget', 'mail', '{target: email}'),
      object('Service', 'cart', '{description: sells}'),
    ].join('');
    expect(read(text)).toMatchObject({
      objectives: [{ measure: { query: 'q' }, source: { name: 'dd', type: 'Datadog' } }],
      burnLimits: [
        { windowMs: HOUR, factor: 14.4, answer: 'deny' },
        { windowMs: 3 * DAY, factor: 1, answer: 'needs-approval' },
      ],
    });
  });

  it('may be JSON, or a list, and hold several SLOs', () => {
    const json = JSON.stringify({
      apiVersion: 'openslo/v1',
      kind: 'SLO',
      metadata: { name: 'api' },
      spec: {
        service: 'api',
        budgetingMethod: 'Occurrences',
        timeWindow: [{ duration: '1w', isRolling: true }],
        objectives: [{ target: 0.9 }],
        indicator: {
          spec: { ratioMetric: { rawType: 'failure', raw: { metricSource: { spec: { query: 'a[$WINDOW]' } } } } },
        },
      },
    });
    expect(read(json).objectives[0]?.window).toEqual({ kind: 'rolling', ms: 7 * DAY });
    const two = read(`[${json}, ${json.replace('"name":"api"', '"name":"web"')}]`);
    expect(two.objectives.map(({ name }) => name)).toEqual(['api', 'web']);
  });

  it('asks any source by its type, as long as it needs no PromQL', () => {
    const ratio = '{rawType: failure, raw: {metricSource: {type: Datadog, spec: {query: "errors{*}"}}}}';
    expect(read(slo(ratio)).objectives[0]).toMatchObject({
      measure: { query: 'errors{*}' },
      source: { type: 'Datadog' },
    });
  });

  it.each([
    [
      'an unknown method',
      slo(GOOD, { budgetingMethod: 'Events' }),
      'slo.yaml:5:20 spec.budgetingMethod budgetingMethod must be',
    ],
    ['no method', slo(GOOD, { budgetingMethod: '' }), 'budgetingMethod must be Occurrences, Timeslices or'],
    ['no service', slo(GOOD, { service: '' }), 'needs a "service"'],
    ['no name', slo(GOOD).replace('{name: cart}', '{}'), 'slo.yaml:3:11 metadata needs a "name"'],
    [
      'neither rolling nor calendar',
      slo(GOOD, { timeWindow: '[{duration: 1w}]' }),
      'needs "isRolling: true", or a "calendar"',
    ],
    ['a rolling month', slo(GOOD, { timeWindow: '[{duration: 1M, isRolling: true}]' }), '"1M" has no fixed length'],
    ['a calendar minute', slo(GOOD, { timeWindow: calendar('1m') }), '("m" is a minute, "M" a month)'],
    [
      'a start that never was',
      slo(GOOD, { timeWindow: calendar('1M', '2026-02-31 00:00:00') }),
      'is not a time such as',
    ],
    [
      'an unknown zone',
      slo(GOOD, { timeWindow: calendar('1M', '2026-02-01 00:00:00', 'Mars/Base') }),
      'is not a time zone',
    ],
    ['no window', slo(GOOD, { timeWindow: '[]' }), 'exactly one window'],
    ['no objective', slo(GOOD, { objectives: '[]' }), 'objectives must be a list of 1 to 20'],
    ['a target of everything', slo(GOOD, { objectives: '[{target: 1}]' }), 'must be above 0 and below 1'],
    ['no target', slo(GOOD, { objectives: '[{}]' }), 'needs one of "target"'],
    [
      'slices without a width',
      slo(GOOD, { budgetingMethod: 'RatioTimeslices' }),
      'need a "timeSliceWindow" such as 1m',
    ],
    ['slices without a target', slo(GOOD, { budgetingMethod: 'Timeslices' }), 'need a "timeSliceTarget"'],
    [
      'a weight that weighs nothing',
      slo(GOOD, { objectives: '[{target: 0.9, compositeWeight: 1}]' }),
      '"compositeWeight" is for a composite',
    ],
    [
      'an indicator in one of two objectives',
      slo('', { indicator: '', objectives: '[{target: 0.9, indicatorRef: x}, {target: 0.8}]' }),
      'a composite SLO has an indicator in every objective',
    ],
    [
      'a threshold without a value',
      slo('', { indicator: `{spec: {thresholdMetric: ${prometheus('a')}}}` }),
      'a thresholdMetric needs "op"',
    ],
    [
      'a threshold on something that speaks no PromQL',
      slo('', {
        indicator: '{spec: {thresholdMetric: {metricSource: {type: Datadog, spec: {query: a}}}}}',
        objectives: '[{op: lt, value: 5, target: 0.9}]',
      }),
      'samples are counted in PromQL, which metrics of type "Datadog" do not speak',
    ],
    ['no indicator', slo(GOOD, { indicator: '' }), 'needs an "indicator"'],
    ['an SLI that is not there', slo(GOOD, { indicator: '', indicatorRef: 'x' }), 'there is no SLI "x"'],
    ['two indicators', slo(GOOD, { indicatorRef: 'x' }), 'has "indicator" and "indicatorRef"'],
    ['a policy that is not there', slo(GOOD, { alertPolicies: '[x]' }), 'there is no AlertPolicy "x"'],
    [
      'two conditions',
      slo(GOOD) + object('AlertPolicy', 'p', '{conditions: [{}, {}]}'),
      'exactly one condition, got 2',
    ],
    [
      'another kind of condition',
      slo(GOOD) + object('AlertCondition', 'c', LIMIT.replace('burnrate', 'cpu')),
      'must be burnrate, got "cpu"',
    ],
    [
      'a limit from below',
      slo(GOOD) + object('AlertCondition', 'c', LIMIT.replace('op: gt', 'op: lte')),
      'write gt or gte, got "lte"',
    ],
    ['a data source of no type', slo(GOOD) + object('DataSource', 'd', '{}'), 'needs a "type"'],
    [
      'two of one name',
      slo(GOOD) + object('Service', 's', '{}') + object('Service', 's', '{}'),
      'there is another Service s',
    ],
    [
      'an excluded period',
      slo(GOOD) + object('BudgetAdjustment', 'b', '{}'),
      'kind "BudgetAdjustment" is not supported',
    ],
    [
      'another version',
      slo(GOOD).replace('openslo/v1', 'openslo/v2alpha'),
      'slo.yaml:1:13 apiVersion apiVersion must be openslo/v1',
    ],
    ['a query of one range', slo(`{rawType: failure, raw: ${prometheus('rate(a[5m])')}}`), 'must contain $WINDOW'],
    [
      'a counter beside a rate',
      slo(`{counter: true, bad: ${prometheus('a')}, total: ${prometheus('rate(b[$WINDOW])')}}`),
      'both be plain selectors',
    ],
    [
      'counts of two sources',
      slo('{bad: {metricSource: {type: A, spec: {query: a}}}, total: {metricSource: {type: B, spec: {query: b}}}}'),
      'must come from the same metrics source',
    ],
    [
      'a raw share of nobody knows what',
      slo(`{raw: ${prometheus('a[$WINDOW]')}}`),
      '"rawType" must be success or failure',
    ],
    [
      'good and bad',
      slo(`{good: ${prometheus('a')}, bad: ${prometheus('a')}}`),
      'exactly one of "good", "bad" and "raw"',
    ],
    ['no SLO', 'apiVersion: openslo/v1\nkind: Service\nmetadata: {name: a}\n', 'holds no document of kind SLO'],
    ['something else', 'hello: world\n', 'is not an OpenSLO document'],
  ])('with %s is refused', (_what, text, message) => {
    expect(say(parseOpenSlo(text, 'slo.yaml'))).toContain(message);
  });
});
