import type { Static } from 'typebox';
import Type, { type TProperties } from 'typebox';
import { isJsonObject } from '../base/json.ts';
import { Duration, toMs } from './quantities.ts';
import type { Path } from './read-yaml.ts';

/** Signals that raise the risk, as `weights` names them. */
export const RAISING_SIGNALS = [
  'size',
  'files',
  'diffusion',
  'batch',
  'sensitivePaths',
  'configAndImage',
  'versionJump',
  'familiarity',
  'recentFailure',
  'lastDeployment',
  'alerts',
  'previousStage',
  'previousSoak',
  'errorBudget',
  'dependencies',
  'infrastructure',
  'time',
  'freeze',
  'selfApproval',
] as const;

/** Signals that lower it. */
export const LOWERING_SIGNALS = ['rollback', 'noDifference'] as const;

export type RiskSignalKey = (typeof RAISING_SIGNALS)[number] | (typeof LOWERING_SIGNALS)[number];

/** What the risk of a change demands. Fields that a plan of an older version lacks are optional. */
export interface RiskPolicy {
  /** 0..100; a person must agree above this score. */
  approvalAbove: number;
  /** Absent: the score alone never denies. */
  denyAbove?: number;
  /** Where levels begin. Default 10 and 25. */
  levels?: RiskLevels;
  alerts?: RiskQuery;
  dependencies?: RiskProbe[];
  infrastructure?: RiskProbe[];
  /** Log-odds at full strength, instead of the model's. */
  weights?: Partial<Record<RiskSignalKey, number>>;
  /** Least soak by level, in milliseconds. */
  soakMs?: ByLevel;
  /** Least number of people by level. */
  quorum?: ByLevel;
}

export interface RiskLevels {
  /** From this score on. */
  medium: number;
  /** Above this score. */
  high: number;
}

export interface ByLevel {
  medium?: number;
  high?: number;
}

export interface RiskQuery {
  query: string;
  /** Name of the metrics source; absent: the only one, or the first. */
  provider?: string;
}

export interface RiskProbe extends RiskQuery {
  name: string;
  /** Red above this value, or below that one: exactly one of the two. */
  above?: number;
  below?: number;
  deny?: boolean;
}

export const RISK_DEFAULTS = { approvalAbove: 25, medium: 10, high: 25 } as const;

/** Weights beyond this turn any other signal into noise: e^5 is 148 times the odds. */
const MAX_WEIGHT = 5;

const closed = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false });

const Score = Type.Number({ minimum: 0, maximum: 100 });
const Query = Type.String({ minLength: 1, maxLength: 10_000 });
const Provider = Type.String({ minLength: 1, maxLength: 100, description: 'the name of a metrics source' });

const Probe = closed({
  name: Type.String({ minLength: 1, maxLength: 100 }),
  query: Query,
  provider: Type.Optional(Provider),
  above: Type.Optional(Type.Number()),
  below: Type.Optional(Type.Number()),
  deny: Type.Optional(Type.Boolean()),
});

const Quorum = closed({ quorum: Type.Integer({ minimum: 1, maximum: 50 }) });
const Raising = Type.Optional(Type.Number({ minimum: 0, maximum: MAX_WEIGHT }));
const Lowering = Type.Optional(Type.Number({ minimum: -MAX_WEIGHT, maximum: 0 }));

const Weights = closed({
  ...(Object.fromEntries(RAISING_SIGNALS.map((key) => [key, Raising])) as Record<
    (typeof RAISING_SIGNALS)[number],
    typeof Raising
  >),
  ...(Object.fromEntries(LOWERING_SIGNALS.map((key) => [key, Lowering])) as Record<
    (typeof LOWERING_SIGNALS)[number],
    typeof Lowering
  >),
});

/** `checks.risk` of a stage. */
export const Risk = closed({
  approvalAbove: Type.Optional(Score),
  denyAbove: Type.Optional(Score),
  levels: Type.Optional(closed({ medium: Type.Optional(Score), high: Type.Optional(Score) })),
  signals: Type.Optional(
    closed({
      alerts: Type.Optional(closed({ query: Query, provider: Type.Optional(Provider) })),
      dependencies: Type.Optional(Type.Array(Probe, { maxItems: 20 })),
      infrastructure: Type.Optional(Type.Array(Probe, { maxItems: 20 })),
    }),
  ),
  weights: Type.Optional(Weights),
  soak: Type.Optional(closed({ medium: Type.Optional(Duration), high: Type.Optional(Duration) })),
  approval: Type.Optional(closed({ medium: Type.Optional(Quorum), high: Type.Optional(Quorum) })),
});

/** A risk policy that the schema has accepted, with its defaults. */
export function toRiskPolicy(risk: Static<typeof Risk>): RiskPolicy {
  const { levels, signals, weights, soak, approval } = risk;
  return {
    approvalAbove: risk.approvalAbove ?? RISK_DEFAULTS.approvalAbove,
    ...(risk.denyAbove === undefined ? {} : { denyAbove: risk.denyAbove }),
    ...(levels && { levels: { medium: RISK_DEFAULTS.medium, high: RISK_DEFAULTS.high, ...levels } }),
    ...(signals?.alerts && { alerts: signals.alerts }),
    ...(signals?.dependencies && { dependencies: signals.dependencies }),
    ...(signals?.infrastructure && { infrastructure: signals.infrastructure }),
    ...(weights && { weights }),
    ...(soak && { soakMs: byLevel(soak, toMs) }),
    ...(approval && { quorum: byLevel(approval, ({ quorum }) => quorum) }),
  };
}

function byLevel<T>({ medium, high }: { medium?: T; high?: T }, read: (value: T) => number): ByLevel {
  return {
    ...(medium === undefined ? {} : { medium: read(medium) }),
    ...(high === undefined ? {} : { high: read(high) }),
  };
}

type Report = (path: Path, message: string, key?: string) => void;

/** What no schema can say of `checks.risk`: limits in the wrong order, probes with no limit or two. */
export function checkRisk(risk: unknown, path: Path, report: Report): void {
  if (!isJsonObject(risk)) return;
  checkOrder(risk, path, report);
  const signals = isJsonObject(risk['signals']) ? risk['signals'] : {};
  for (const kind of ['dependencies', 'infrastructure']) {
    const probes = Array.isArray(signals[kind]) ? signals[kind] : [];
    checkProbes(probes, [...path, 'signals', kind], report);
  }
}

function checkOrder(risk: Record<string, unknown>, path: Path, report: Report): void {
  const { approvalAbove, denyAbove } = risk;
  if (typeof approvalAbove === 'number' && typeof denyAbove === 'number' && denyAbove < approvalAbove) {
    report([...path, 'denyAbove'], `must not be below approvalAbove (${approvalAbove})`);
  }
  const levels = isJsonObject(risk['levels']) ? risk['levels'] : {};
  const { medium = RISK_DEFAULTS.medium, high = RISK_DEFAULTS.high } = levels;
  if (typeof medium === 'number' && typeof high === 'number' && high < medium) {
    const key = 'high' in levels ? 'high' : 'medium';
    report([...path, 'levels', key], `high (${high}) must not be below medium (${medium})`);
  }
}

function checkProbes(probes: readonly unknown[], path: Path, report: Report): void {
  const seen = new Set<unknown>();
  for (const [at, probe] of probes.entries()) {
    if (!isJsonObject(probe)) continue;
    const here = [...path, at];
    if ('above' in probe && 'below' in probe) report(here, 'has both "above" and "below": keep one', 'below');
    if (!('above' in probe) && !('below' in probe)) {
      report(here, 'needs "above" or "below": the value beyond which it is red, such as above: 0');
    }
    if (seen.has(probe['name'])) report([...here, 'name'], 'is there already: rename one');
    seen.add(probe['name']);
  }
}
