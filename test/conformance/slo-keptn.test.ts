import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseKeptnSlo } from '../../src/definitions/slo-yaml-keptn.ts';
import { percentile } from '../../src/slo/aggregate.ts';
import { evaluate } from '../../src/slo/evaluate.ts';
import type { Comparison, CriteriaSet, Slo } from '../../src/slo/evaluation.ts';
import {
  aggregateEarlier,
  compareKeptn,
  judgeKeptnCriterion,
  judgeKeptnSet,
  judgeKeptnSets,
  parseKeptnCriterion,
} from '../../src/slo/keptn/criteria.ts';
import { type Decoded, decodeEarlier, decodeGetSliFinished } from '../../src/slo/keptn/decode.ts';
import { erroredFinished, finishEvaluation } from '../../src/slo/keptn/finished.ts';
import type { KeptnFinished, KeptnGetSliFinished, KeptnValue } from '../../src/slo/keptn/model.ts';
import { judgeObjectives, takeValue } from '../../src/slo/keptn/objectives.ts';
import { keptnPrometheusQuery, keptnSample, keptnSliResult } from '../../src/slo/keptn/prometheus.ts';
import { calculateScore } from '../../src/slo/keptn/score.ts';
import { earlierOfPlace, includeOf, type StoredEvent, selectEarlier } from '../../src/slo/keptn/selection.ts';
import { sloOfKeptn } from '../../src/slo/keptn/slo.ts';
import { classifyLookup, fileFound, type SloLookup, sayLookup } from '../../src/slo/keptn/slo-lookup.ts';
import { beginEvaluation, sliProviderConfig } from '../../src/slo/keptn/triggered.ts';
import { evaluationWindow } from '../../src/slo/keptn/window.ts';
import { createTally, expectLike, type Loose, readVectors, type Vector } from './vectors.ts';

/*
 * `compatibility: keptn`: everything that was recorded of Keptn 1.4.5 must come out the same, numbers
 * exactly. Where a vector is marked as specific to Go, the words of an error may differ; that it is one
 * may not.
 */
const NOW = Date.parse('2024-05-01T12:00:00.000Z');

const lighthouse = createTally("Keptn's lighthouse under compatibility: keptn", readVectors('slo/vectors.json'));

lighthouse.group('criteria-parse', ({ input, expected }) => {
  const parsed = parseKeptnCriterion(input['criteria']);
  if (expected['error'] !== undefined) return expect(parsed).toEqual({ ok: false, error: expected['error'] });
  if (!parsed.ok) throw new Error(parsed.error);
  const { operator, value, percentage, relative, increase } = parsed.criterion;
  // What JSON cannot hold is written as text.
  if (expected['accepted'] === true) return expect(String(value)).toBe(expected['value']);
  expect({
    operator,
    value,
    checkPercentage: percentage,
    isComparison: relative,
    ...(relative ? { checkIncrease: increase } : {}),
  }).toEqual({ ...expected, ...(relative ? {} : { checkIncrease: undefined }) });
});

lighthouse.group('value-compare', ({ input, expected }) => {
  expectJudged(compareKeptn(input['measured'], input['operator'], input['target']), expected);
});

lighthouse.group('fixed-threshold', ({ input, expected }) => {
  const { operator, value } = input['criteriaObject'];
  const compared = compareKeptn(input['sliResult'].value, operator, value);
  expectJudged(compared.ok ? { ...compared, targetValue: value } : compared, expected);
});

lighthouse.group('percentile', ({ input, expected }) => {
  expect(input['values'].length === 0 ? 0 : percentile(input['values'], input['percentile'])).toBe(expected['value']);
});

lighthouse.group('aggregate', ({ input, expected }) => {
  expect(earlierOf(input)).toEqual(expected);
});

lighthouse.group('comparison', ({ input, expected }) => {
  const criteria = input['equivalentCriteria'] ?? criteriaText(input['criteriaObject']);
  expectJudged(judgeKeptnCriterion(input['sliResult'], criteria, earlierOf(input)), expected);
});

lighthouse.group('single-criteria', ({ input, expected }) => {
  const earlier = earlierOf(input);
  const judged = judgeKeptnCriterion(input['sliResult'], input['criteria'], earlier);
  expectJudged(judged.ok ? { ...judged, comparedValue: earlier.value } : judged, expected);
});

lighthouse.group('criteria-set-and', ({ input, expected }) => {
  expectJudged(judgeKeptnSet(input['sliResult'], input['criteriaSet'].criteria, earlierOf(input)), expected);
});

lighthouse.group('criteria-or', ({ input, expected }) => {
  const sets = input['criteriaSets'].map(({ criteria }: { criteria: CriteriaSet }) => criteria);
  expectJudged(judgeKeptnSets(input['sliResult'], sets, earlierOf(input)), expected);
});

lighthouse.group('sli-lookup', ({ input, expected }) => {
  const left = [...input['indicatorValues']];
  expectLike({ found: takeValue(left, input['sli']), left, leftCount: left.length }, expected);
});

lighthouse.group('slo-parse', ({ input, expected }) => {
  const parsed = parseKeptnSlo(input['sloYaml'], 'slo.yaml');
  if (expected['error'] !== undefined) return expect(parsed.ok).toBe(false);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  expectLike(parsed.value, expected['slo']);
});

lighthouse.group('objectives', ({ input, expected }) => {
  const events = (input['previousEvaluations'] ?? []).map((data: KeptnFinished) => ({ id: '', data }));
  const values = decoded(decodeEarlier(events)).flatMap((one) => one.values);
  const delivered = decoded(decodeGetSliFinished(input['getSliFinished']))['get-sli'].indicatorValues;
  const judged = judgeObjectives(sloOfKeptn(input['slo']), delivered, values);
  if (!judged.ok) throw new Error(judged.error);
  const { indicatorResults } = expected['evaluationResult'].evaluation;
  expectLike(
    { results: judged.results, maximum: judged.maximum, keySli: judged.keySli },
    { results: indicatorResults, maximum: expected['maximumAchievableScore'], keySli: expected['keySli'] },
  );
});

lighthouse.group('score', ({ input, expected }) => {
  const { evaluation } = input['evaluationResult'];
  const results = (evaluation.indicatorResults ?? []).map(({ passTargets, ...rest }: Loose) => ({
    ...rest,
    passTargets: passTargets ?? [],
  }));
  const { totalScore } = sloOfKeptn(input['slo']);
  const score = calculateScore(input['maximumAchievableScore'], results, totalScore, input['keySli']);
  if (!score.ok) throw new Error(score.error);
  const { result, message, status, evaluation: finished } = expected['evaluationResult'];
  expect(status).toBe('succeeded');
  expect([score.result, score.result, score.score, score.message]).toEqual([
    result,
    finished.result,
    finished.score,
    message,
  ]);
});

lighthouse.group('previous-evaluations', ({ input, expected }) => {
  const stored = input['datastoreEvents'].map((event: Loose) => ({ ...event, result: event['data'].result ?? '' }));
  const include = includeOf(input['includeResultWithScore']);
  const selected = selectEarlier<{ id: string; data: Loose; result: string }>(stored, {
    include,
    count: input['numberOfPreviousResults'],
  });
  expect(selected.map(({ data }) => data)).toEqual(expected['evaluations']);
  expect(selected.map(({ id }) => id)).toEqual(expected['comparedEvents']);
});

lighthouse.group('previous-selection', ({ input, expected }) => {
  const place = { project: input['project'], stage: input['stage'], service: input['service'] };
  const stored = earlierOfPlace(input['events'] as StoredEvent[], place, input['invalidatedTriggeredIds']);
  const selected = selectEarlier(
    stored.map(({ id, data }) => ({ id, result: data.result ?? '' })),
    { include: includeOf(input['includeResultWithScore']), count: input['limit'] },
  );
  expect(selected.map(({ id }) => id)).toEqual(expected['ids']);
});

lighthouse.group('get-sli-finished-handler', ({ input, expected }) => {
  // The look-up in words: which error, or which answer.
  const [, error] = /^resource service error: "(.*)"$/.exec(input['sloLookup']) ?? [];
  const lookup = error === undefined ? fileFound('', undefined) : classifyLookup(error, undefined);
  const event = getSliFinished({ project: '' });
  expect(expected['eventType']).toBe('sh.keptn.event.evaluation.finished');
  expect(finishEvaluation(event, lookup, []).data).toMatchObject(expected['data']);
});

lighthouse.group('evaluation-triggered-handler', ({ input, expected }) => {
  const providers = new Map(
    [
      { type: input['projectSliProvider'], project: input['evaluationTriggered'].project },
      { type: input['defaultSliProvider'] },
    ]
      .filter(({ type }) => typeof type === 'string')
      .map((each) => sliProviderConfig(each))
      .map(({ name, data }) => [name, data['sli-provider']]),
  );
  const sent = beginEvaluation(input['evaluationTriggered'], lookupOf(input), providers, NOW);
  expect(sent.map(({ type }) => type)).toEqual(expected['sentEventTypes']);
  const last = sent.at(-1)?.data;
  if (expected['finished'] !== undefined) expectLike(last, expected['finished']);
  if (expected['getSliTriggered'] !== undefined) expectLike(last, expected['getSliTriggered']);
});

lighthouse.group('time-window', ({ input, expected, goSpecific }) => {
  const window = evaluationWindow(input, NOW);
  if (expected['error'] !== undefined) {
    expect(window.ok).toBe(false);
    if (!goSpecific) expect(window).toEqual({ ok: false, error: expected['error'] });
    return;
  }
  if (!window.ok) throw new Error(window.error);
  const { endRelativeToNowSeconds, startRelativeToEndSeconds, start, end } = expected;
  if (start !== undefined) expect(window).toMatchObject({ start, end });
  if (endRelativeToNowSeconds !== undefined) expect(Date.parse(window.end)).toBe(NOW + endRelativeToNowSeconds * 1000);
  if (startRelativeToEndSeconds !== undefined)
    expect(Date.parse(window.start)).toBe(Date.parse(window.end) + startRelativeToEndSeconds * 1000);
});

lighthouse.group('slo-lookup-errors', ({ input, expected }) => {
  const lookup = classifyLookup(input['resourceLookupError'], input['serviceLookupError'] ?? undefined);
  expect(sayLookup(lookup as Exclude<SloLookup, { kind: 'file' }>)).toBe(expected['error']);
});

lighthouse.group('errored-finished', ({ input, expected }) => {
  const event = getSliFinished({ 'get-sli': { start: input['start'], end: input['end'], indicatorValues: [] } });
  expectLike(erroredFinished(event, input['message'], input['sloFileContent']), expected);
});

lighthouse.group('sli-provider-config', ({ input, expected }) => {
  expect(sliProviderConfig({ type: input['type'], project: input['project'] })).toEqual(expected['configMap']);
});

lighthouse.group('evaluate-e2e', ({ input, expected }) => {
  const event = decoded(decodeGetSliFinished(input['getSliFinished']));
  const earlier = decoded(decodeEarlier(input['previousEvaluations'] ?? []));
  const { data, judged } = finishEvaluation(event, lookupOf(input), earlier);
  expectLike(data, expected['finished']);
  const { previousResultsLimit, maximumAchievableScore, keySli } = expected;
  expectLike(
    { limit: judged?.limit, maximum: judged?.maximum, keySli: judged?.keySli },
    { limit: previousResultsLimit, maximum: maximumAchievableScore, keySli },
  );
});

lighthouse.complete();

const core = readVectors('keptn-core-vectors.json').filter(({ group }) => group.startsWith('prometheus-'));
const provider = createTally("Keptn's prometheus-service under compatibility: keptn", core);

provider.group('prometheus-query', ({ input, expected }) => {
  const query = keptnPrometheusQuery(input as Parameters<typeof keptnPrometheusQuery>[0]);
  expect(query).toEqual(
    expected['error'] === undefined ? { ok: true, ...expected } : { ok: false, error: expected['error'] },
  );
});

provider.group('prometheus-result', ({ input, expected }) => {
  if (input['vector'] === undefined) {
    return expect(keptnSliResult(input['indicatorSuccess'])).toEqual(expected);
  }
  expect(keptnSample(input['vector'])).toMatchObject(expected);
});

provider.complete();

describe('Keptn compatibility beyond the vectors', () => {
  const slo = (text: string): Slo => {
    const parsed = parseKeptnSlo(text, 'slo.yaml');
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return sloOfKeptn(parsed.value);
  };

  it('never lets a threshold that is no number pass', () => {
    for (const pass of ['NaN', '-Inf', 'inf%', '1e999'])
      expect(slo(`objectives: [{sli: a}]\ntotal_score: {pass: "${pass}"}\n`).totalScore).toEqual({
        pass: 100,
        mistake: 'could not parse pass target percentage',
      });
  });

  it('takes every earlier evaluation for a number below 1', () => {
    const text =
      'comparison: {compare_with: several_results, number_of_comparison_results: -1}\nobjectives: [{sli: a}]\n';
    const earlier = [1, 2, 3, 4, 5].map((at) => ({ result: 'pass', id: String(at) }));
    expect(selectEarlier(earlier, slo(text).comparison)).toHaveLength(5);
  });

  it('says where an slo.yaml is wrong', () => {
    const parsed = parseKeptnSlo('objectives:\n- sli: a\n  weight: "2"\n', 'slo.yaml');
    expect(parsed).toMatchObject({ ok: false, problems: [{ line: 3, column: 11, message: expect.any(String) }] });
  });

  it('never takes for a number what is none', () => {
    const asked = slo('objectives: [{sli: a, pass: [{criteria: [">0"]}]}]\ntotal_score: {pass: 90%}\n');
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(evaluate({ slo: asked, values: [{ metric: 'a', ok: true, value }], earlier: [] }).result).toBe('fail');
  });

  it('reads any text without throwing', () => {
    const pieces = [
      'objectives',
      'total_score',
      'pass',
      'sli',
      'weight',
      'criteria',
      ': ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '<<',
      '"',
      "'",
      '|',
      '1e9',
      'yes',
      '\t',
      '---',
      '!!int ',
      '\u0000',
      '"<5"',
      ',',
    ];
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (each) => void parseKeptnSlo(each, 'slo.yaml')),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['a mapping that is merged into itself', 'objectives:\n- &a {sli: x, <<: *a}\n'],
    ['aliases of aliases', `a: &a [{criteria: ["<1"]}]\nobjectives:\n${'- {sli: a, pass: *a}\n'.repeat(60_000)}`],
    ['a file that is far too large', `# ${'x'.repeat(300_000)}\n`],
    ['broken YAML', 'objectives: [\n'],
    ['a criteria list of null', 'objectives: [{sli: a, pass: [null]}]\n'],
  ])('refuses %s', (_what, text) => {
    expect(parseKeptnSlo(text, 'slo.yaml')).toMatchObject({ ok: false });
  });
});

function expectJudged(judged: Loose, expected: Loose): void {
  if (expected['error'] === undefined) expectLike(judged, expected);
  else expect(judged).toEqual({ ok: false, error: expected['error'] });
}

function criteriaText({ operator, value, checkPercentage, isComparison, checkIncrease }: Loose): string {
  return `${operator ?? ''}${isComparison ? (checkIncrease ? '+' : '-') : ''}${value}${checkPercentage ? '%' : ''}`;
}

function earlierOf(input: Loose) {
  const values = (input['previousResults'] ?? []).flatMap(({ value }: { value: KeptnValue | null }) => value ?? []);
  const comparison = input['comparison'] ?? { aggregate_function: 'avg' };
  const known = ['avg', 'p50', 'p90', 'p95'].includes(comparison.aggregate_function);
  return aggregateEarlier(values, (known ? comparison.aggregate_function : 'zero') as Comparison['aggregate']);
}

function decoded<T>(found: Decoded<T>): T {
  if (!found.ok) throw new Error(`${found.path} ${found.message}`);
  return found.value;
}

function lookupOf(input: Vector['input']): SloLookup {
  if (input['slo'] === 'not found') return classifyLookup('not found', input['serviceLookup'].replace(/ \(404\)$/, ''));
  const text = input['sloYaml'] ?? '';
  const parsed = parseKeptnSlo(text, 'slo.yaml');
  return fileFound(text, parsed.ok ? sloOfKeptn(parsed.value) : undefined);
}

function getSliFinished(change: Partial<KeptnGetSliFinished>): KeptnGetSliFinished {
  return {
    project: 'p',
    stage: 's',
    service: 'svc',
    'get-sli': { start: '', end: '', indicatorValues: [] },
    ...change,
  };
}
