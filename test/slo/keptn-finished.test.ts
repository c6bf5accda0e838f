import { describe, expect, it } from 'vitest';
import { asSent } from '../../src/cli/evaluate-as-keptn.ts';
import { parseSlo } from '../../src/definitions/slo-yaml.ts';
import { decodeEarlier, decodeGetSliFinished } from '../../src/slo/keptn/decode.ts';
import { finishEvaluation } from '../../src/slo/keptn/finished.ts';
import type { KeptnFinished } from '../../src/slo/keptn/model.ts';
import { fileFound } from '../../src/slo/keptn/slo-lookup.ts';

/* What lighthouse 1.4.5 answered to generated cases, where it is easy to get wrong. */
const SLO = `objectives:
- {sli: a, pass: [{criteria: ["<=+10%"]}]}
- {sli: b, warning: [{criteria: ["<1"]}]}
- {sli: c, pass: [{criteria: []}], warning: [{criteria: ["bad"]}]}
total_score: {pass: 50%}
`;
const A = { metric: 'a', value: 1, success: true };

describe("what Keptn's lighthouse answers", () => {
  it('leaves out what is empty of the place, and tells no list from an empty one', () => {
    const sent = asSent(finished({ values: [A, { metric: 'c', value: 1, success: true }] }));
    expect(Object.keys(sent).sort()).toEqual(['evaluation', 'result', 'status']);
    expect(sent).toMatchObject({
      evaluation: {
        indicatorResults: [
          { passTargets: [{ targetValue: 0, violated: false }], warningTargets: null },
          { value: null, passTargets: [], warningTargets: [{ targetValue: 1, violated: true }] },
          { passTargets: null, warningTargets: [] },
        ],
      },
    });
  });

  it('always tells the content of slo.yaml, if only that there is none', () => {
    expect(finished({ values: [A], status: 'aborted' }).evaluation).toMatchObject({ sloFileContent: '' });
    expect(finished({ values: [A] }).evaluation.sloFileContent).toBe(Buffer.from(SLO).toString('base64'));
  });

  it('names values that nobody asked for, with a comma only where something is before it', () => {
    const values = ['', 'a', 'x', 'y', 'c'].map((metric) => ({ ...A, metric }));
    expect(finished({ values }).message).toContain('not specified as SLO: y, x . Please');
  });

  it.each([
    ['the target', 1, 1e308],
    ['a value beyond JSON', Number.POSITIVE_INFINITY, 1],
  ])('is errored when %s is too large to be told', (_what, value, before) => {
    const previous = [eventOf([{ value: { metric: 'a', value: before, success: true } }]), eventOf([])];
    expect(finished({ values: [{ ...A, value }], previous })).toMatchObject({
      status: 'errored',
      result: 'fail',
      evaluation: { result: 'fail', score: 0, indicatorResults: null },
    });
  });

  it('takes null for what is not there', () => {
    const empty = { metric: null, value: null, success: null, message: null, comparedValue: null };
    expect(finished({ values: [{ ...A, message: null }, empty] })).toMatchObject({ status: 'succeeded' });
    expect(finished({ values: [{ ...A, success: null }] }).evaluation.indicatorResults?.[0]).toMatchObject({
      status: 'fail',
      value: { success: false },
    });
  });

  it('counts an earlier event that tells nothing', () => {
    const previous = [{ id: 'x', data: null }, { data: { evaluation: null } }];
    expect(finished({ values: [A], previous }).evaluation.comparedEvents).toEqual(['x']);
    expect(decodeEarlier(previous)).toMatchObject({ ok: true, value: [{ id: 'x' }, { id: '' }] });
  });

  it.each([
    [[null], 'get-sli.indicatorValues[0]'],
    [[{ ...A, value: '5' }], 'get-sli.indicatorValues[0].value'],
    [[{ ...A, success: 'true' }], 'get-sli.indicatorValues[0].success'],
    [{}, 'get-sli.indicatorValues'],
  ])('refuses values of %j', (indicatorValues, path) => {
    expect(decodeGetSliFinished({ 'get-sli': { indicatorValues } })).toMatchObject({ ok: false, path });
  });

  it.each([
    [{ labels: { team: 1 } }, 'labels.team'],
    [{ labels: ['x'] }, 'labels'],
    [{ status: 5 }, 'status'],
    [{ 'get-sli': { start: 5 } }, 'get-sli.start'],
  ])('refuses an event with %j', (change, path) => {
    expect(decodeGetSliFinished({ 'get-sli': {}, ...change })).toMatchObject({ ok: false, path });
  });

  it.each([
    [{ evaluation: {} }, '[0]'],
    [eventOf([null]), '[0].data.evaluation.indicatorResults[0]'],
    [eventOf([{ value: { metric: 5 } }]), '[0].data.evaluation.indicatorResults[0].value.metric'],
    [eventOf({}), '[0].data.evaluation.indicatorResults'],
    [{ id: 5, data: {} }, '[0].id'],
    [{ id: 'x', data: { evaluation: 'x' } }, '[0].data.evaluation'],
  ])('refuses an earlier event %j', (event, path) => {
    expect(decodeEarlier([event])).toMatchObject({ ok: false, path });
  });
});

function eventOf(indicatorResults: unknown) {
  return { id: 'e', data: { result: 'pass', evaluation: { indicatorResults } } };
}

function finished(given: { values: unknown[]; previous?: unknown[]; status?: string }): KeptnFinished {
  const event = decodeGetSliFinished({ status: given.status, 'get-sli': { indicatorValues: given.values } });
  const earlier = decodeEarlier(given.previous ?? []);
  const slo = parseSlo(SLO, 'slo.yaml', 'keptn');
  if (!event.ok || !earlier.ok || !slo.ok) throw new Error(JSON.stringify([event, earlier, slo]));
  return finishEvaluation(event.value, fileFound(SLO, slo.value), earlier.value).data;
}
