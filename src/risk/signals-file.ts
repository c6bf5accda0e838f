import type { Static } from 'typebox';
import Type, { type TProperties } from 'typebox';
import { isJsonObject } from '../base/json.ts';
import type { RiskPolicy, RiskProbe } from '../definitions/delivery-risk.ts';
import type { Parsed, Problem } from '../definitions/problem.ts';
import { Duration, Ratio, toMs, toRatio } from '../definitions/quantities.ts';
import { readYaml, type YamlDocument } from '../definitions/read-yaml.ts';
import { problemAt, quote, validator } from '../definitions/validate.ts';
import { parseWindow } from '../engine/windows.ts';
import type { Probe, RiskSignals } from './signals.ts';

const closed = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false });
const Count = Type.Integer({ minimum: 0, maximum: 1_000_000_000 });
const Amount = Type.Number({ minimum: 0, maximum: 1_000_000_000 });
const OrNone = Type.Union([Amount, Type.Literal('none')], { description: 'a number, or none' });
const Readings = Type.Record(Type.String(), Type.Number(), {
  maxProperties: 50,
  description: 'what was read by name, such as {payments: 0.97}',
});

const schema = closed({
  lines: Type.Optional(Count),
  files: Type.Optional(Count),
  directories: Type.Optional(Count),
  commits: Type.Optional(Count),
  sensitive: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 20 })),
  configAndImage: Type.Optional(Type.Boolean()),
  versionJump: Type.Optional(
    Type.Union(
      ['none', 'patch', 'minor', 'major'].map((jump) => Type.Literal(jump as 'none' | 'patch' | 'minor' | 'major')),
    ),
  ),
  authors: Type.Optional(closed({ all: Type.Integer({ minimum: 1 }), unfamiliar: Count })),
  history: Type.Optional(closed({ deployments: Count, failures: Count })),
  hoursSinceFailure: Type.Optional(OrNone),
  daysSinceDeployment: Type.Optional(Amount),
  alertsFiring: Type.Optional(Amount),
  previousResult: Type.Optional(
    Type.Union(['pass', 'warning', 'fail'].map((result) => Type.Literal(result as 'pass' | 'warning' | 'fail'))),
  ),
  previousSoak: Type.Optional(closed({ ran: Duration, expected: Duration })),
  budgetRemaining: Type.Optional(
    Type.Union([Ratio, Type.Number({ minimum: -1000, maximum: 1 })], { description: 'a share such as 70% or 0.7' }),
  ),
  dependencies: Type.Optional(Readings),
  infrastructure: Type.Optional(Readings),
  time: Type.Optional(
    Type.String({
      pattern: '^(MO|TU|WE|TH|FR|SA|SU) ([01]\\d|2[0-3]):[0-5]\\d$',
      description: 'a time of the week such as "FR 16:00"',
    }),
  ),
  hoursToFreeze: Type.Optional(OrNone),
  selfApproved: Type.Optional(Type.Boolean()),
  rollback: Type.Optional(Type.Boolean()),
  noDifference: Type.Optional(Type.Boolean()),
});

const validate = validator(schema);

/**
 * Reads signals out of a JSON or YAML file; what `dependencies` and `infrastructure` say is judged by the
 * probes of the policy. Every mistake is reported with its place. Never throws.
 */
export function parseRiskSignals(text: string, file: string, policy: RiskPolicy): Parsed<RiskSignals> {
  const document = readYaml(text, file);
  if (!document.ok) return document;
  const valid = validate(document.value);
  if (!valid.ok) return valid;
  const problems = crossCheck(document.value, policy);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: toSignals(valid.value, policy) };
}

/** The probes of a policy with what was read of them; one that is not among it could not be read. */
export function probesOf(
  policy: RiskPolicy,
  readings: unknown,
): Pick<RiskSignals, 'dependencies' | 'infrastructure' | 'unknown'> {
  const given = isJsonObject(readings) ? readings : {};
  const { dependencies = [], infrastructure = [], alerts } = policy;
  const why = 'not given';
  const unknown = {
    ...(alerts && given['alertsFiring'] === undefined ? { alerts: why } : {}),
    ...(dependencies.length > 0 ? { dependencies: why } : {}),
    ...(infrastructure.length > 0 ? { infrastructure: why } : {}),
  };
  return {
    ...(dependencies.length > 0
      ? { dependencies: dependencies.map((one) => withValue(one, given['dependencies'])) }
      : {}),
    ...(infrastructure.length > 0
      ? { infrastructure: infrastructure.map((one) => withValue(one, given['infrastructure'])) }
      : {}),
    unknown,
  };
}

function withValue({ query: _, provider: __, ...limits }: RiskProbe, readings: unknown): Probe {
  const value = isJsonObject(readings) ? readings[limits.name] : undefined;
  return typeof value === 'number' ? { ...limits, value } : { ...limits, why: 'not given' };
}

function crossCheck(document: YamlDocument, policy: RiskPolicy): Problem[] {
  const value = isJsonObject(document.value) ? document.value : {};
  const problems: Problem[] = [];
  for (const kind of ['dependencies', 'infrastructure'] as const) {
    const known = (policy[kind] ?? []).map(({ name }) => name);
    for (const name of Object.keys(isJsonObject(value[kind]) ? value[kind] : {})) {
      if (known.includes(name)) continue;
      const said = known.length === 0 ? 'there are none' : `known: ${known.join(', ')}`;
      problems.push(problemAt(document, [kind], `the policy has no ${quote(name)}, ${said}`, name));
    }
  }
  for (const [field, part, whole] of [
    ['history', 'failures', 'deployments'],
    ['authors', 'unfamiliar', 'all'],
  ] as const) {
    const pair = isJsonObject(value[field]) ? value[field] : {};
    if (Number(pair[part]) > Number(pair[whole]))
      problems.push(problemAt(document, [field, part], `must not be more than ${whole} (${String(pair[whole])})`));
  }
  return problems;
}

function toSignals(file: Static<typeof schema>, policy: RiskPolicy): RiskSignals {
  const { time, previousSoak, budgetRemaining, dependencies: _, infrastructure: __, ...rest } = file;
  return {
    ...(rest as RiskSignals),
    ...probesOf(policy, file),
    ...(time === undefined ? {} : { localMinuteOfWeek: minuteOf(time) }),
    ...(previousSoak && {
      previousSoak: { ranMs: toMs(previousSoak.ran), expectedMs: toMs(previousSoak.expected) },
    }),
    ...(budgetRemaining === undefined ? {} : { budgetRemaining: toRatio(budgetRemaining) }),
  };
}

/** `FR 16:00` in minutes since Monday 00:00: the start of a window that begins then. */
function minuteOf(time: string): number {
  const [day = '', clock = ''] = time.split(' ');
  const window = parseWindow(`${day} ${clock}/${day === 'MO' ? 'TU' : 'MO'} 00:00`);
  return window.ok ? (window.spans[0]?.start ?? Number.NaN) : Number.NaN;
}
