import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseOpenSlo } from '../../src/definitions/openslo-yaml.ts';
import { type Parsed, sayProblem } from '../../src/definitions/problem.ts';

const EXAMPLES = join(import.meta.dirname, '../../../shared/conformance/openslo/examples');
const available = existsSync(EXAMPLES);
if (!available) {
  if (process.env['CI'] === 'true') throw new Error('CI needs the conformance data beside the project');
  console.warn("Skipped: OpenSLO's example files, because the conformance data is not beside the project");
}

const files = available
  ? readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.yaml'))
      .sort()
  : [];
const text = (file: string) => readFileSync(join(EXAMPLES, file), 'utf8');

function say(parsed: Parsed<unknown>): string {
  return parsed.ok ? 'accepted' : parsed.problems.map(({ line, message }) => `${line}: ${message}`).join('\n');
}

/** The examples name no real metrics: "Any" type with the query "Any". */
function withPromql(source: string): string {
  return source
    .replaceAll(/type: Any.*/g, 'type: Prometheus')
    .replaceAll(/query: Any.*/g, 'query: sum(increase(any[$WINDOW]))');
}

describe.skipIf(!available)("OpenSLO's examples", () => {
  it('as they stand are refused where "Any" would have to speak PromQL, each with line and reason', () => {
    const slices = '15: time slices are counted in PromQL, which metrics of type "Any" do not speak';
    expect(Object.fromEntries(files.map((file) => [file, say(parseOpenSlo(text(file), file)).split('\n')[0]]))).toEqual(
      {
        'budgeting-method/occurences-slo.yaml':
          '16: samples are counted in PromQL, which metrics of type "Any" do not speak',
        'budgeting-method/ratio-timeslices.yaml': slices.replace('15', '17'),
        'budgeting-method/timeslices-slo.yaml':
          '27: "1m" is not the length of a calendar window such as 1M, 1Q, 1w or 30d ("m" is a minute, "M" a month)',
        'treat-low-traffic-as-equally-important/timeslices-slo.yaml': slices,
      },
    );
  });

  it('are accepted once they name Prometheus, and a month for the one that means a month', () => {
    const read = files.map((file) =>
      parseOpenSlo(withPromql(text(file)).replace('duration: 1m', 'duration: 1M'), file),
    );
    const budgets = read.flatMap((parsed) => {
      if (!parsed.ok) throw new Error(parsed.problems.map(sayProblem).join('\n'));
      return parsed.value.objectives;
    });
    expect(budgets.map(({ method, target, window, slices }) => [method, target, window.kind, slices])).toEqual([
      ['occurrences', 0.99, 'rolling', undefined],
      ['ratio-timeslices', 0.99, 'rolling', { widthMs: 60_000 }],
      ['timeslices', 0.995, 'calendar', { widthMs: 60_000, target: 0.99 }],
      ['timeslices', 0.99, 'calendar', { widthMs: 60_000, target: 0.99 }],
      ['timeslices', 0.9995, 'calendar', { widthMs: 60_000, target: 0.95 }],
    ]);
  });

  it.each([
    ['without apiVersion', /apiVersion: .*\n/, '', 'it needs apiVersion openslo/v1 and a kind'],
    ['without a service', / {2}service: .*\n/, '', 'needs a "service"'],
    ['without objectives', /target: [\d.]+/, 'target: 1.5', 'must be above 0 and below 1'],
    ['with another method', /budgetingMethod: \w+/, 'budgetingMethod: Guesses', 'got "Guesses"'],
    [
      'with no window',
      /timeWindow:\n(?: +.*\n)*? {2}budgetingMethod/,
      'timeWindow: []\n  budgetingMethod',
      'exactly one window',
    ],
    ['broken in the middle', /indicator:/, 'indicator: [', ''],
  ])('%s are refused with a line', (_what, pattern, replacement, message) => {
    for (const file of files) {
      const parsed = parseOpenSlo(withPromql(text(file)).replace(pattern, replacement), file);
      if (parsed.ok) throw new Error(`${file} was accepted`);
      expect(say(parsed)).toContain(message);
      expect(parsed.problems.every(({ line }) => line >= 1)).toBe(true);
    }
  });
});
