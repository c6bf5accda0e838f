import type { RiskSignalKey } from '../definitions/delivery-risk.ts';
import { SIGNALS, type Signal } from './catalogue.ts';
import { isCount } from './looks.ts';
import { type RiskModel, sigmoid, toLogit } from './model.ts';
import type { RiskSignals } from './signals.ts';

/** One bad deployment in seven is ordinary; with a history of its own a service leaves this behind. */
const PRIOR = { failures: 1.5, successes: 8.5 };

/** One reason why the risk is what it is. */
export interface Contribution {
  key: RiskSignalKey;
  /** As people read it. */
  signal: string;
  /** What was seen, for people: `420 changed lines`. */
  seen: string;
  source: Signal['source'];
  /** How strongly it was seen, 0..1. */
  strength: number;
  /** Log-odds at full strength. */
  weight: number;
  /** Added to the log-odds: strength times weight. These add up exactly. */
  logit: number;
  /** How many points the score would lose without it. */
  points: number;
}

/** A signal that was looked for in vain. */
export interface Unknown {
  key: RiskSignalKey;
  signal: string;
  why: string;
  /** What it would add to the log-odds at the worst. */
  atMost: number;
}

export interface RiskScore {
  /** 0..100: the estimated chance of a failed deployment, in percent, by what is known. */
  score: number;
  /** The same if everything that is not known were at its worst. */
  upTo: number;
  /** Base, intercept and contributions, summed. */
  logit: number;
  base: { known: boolean; seen: string; logit: number; points: number };
  contributions: Contribution[];
  unknown: Unknown[];
  /** Signals that do not apply here, or that nobody asked for. */
  notAsked: string[];
  /** Share of the model's weight that is known, 0..1. */
  coverage: number;
}

/**
 * The smoothed failure rate of the service in log-odds, plus strength times coefficient per signal:
 * logit p = logit CFR0 + intercept + sum(beta * x), CFR0 = (f + 1.5) / (n + 10).
 */
export function scoreRisk(signals: RiskSignals, model: RiskModel): RiskScore {
  const base = baseOf(signals);
  const found = SIGNALS.map((signal) => ({ signal, seen: signal.look(signals) }));
  const known = found.flatMap(({ signal, seen }) =>
    seen === undefined ? [] : [{ signal, ...seen, logit: seen.strength * model.coefficients[signal.key] }],
  );
  const logit = known.reduce((sum, one) => sum + one.logit, base.logit + model.intercept);
  const score = toScore(logit);
  const missing = found.filter(({ seen }) => seen === undefined).map(({ signal }) => signal);
  const unknown = missing.flatMap((signal) => unknownOf(signal, signals, model));
  return {
    score,
    upTo: toScore(unknown.reduce((sum, { atMost }) => sum + atMost, logit)),
    logit,
    base: { ...base, points: toScore(base.logit) },
    contributions: known.map(({ signal, ...one }) => ({
      key: signal.key,
      signal: signal.name,
      seen: one.seen,
      source: signal.source,
      strength: one.strength,
      weight: model.coefficients[signal.key],
      logit: one.logit,
      points: score - toScore(logit - one.logit),
    })),
    unknown,
    notAsked: missing.filter(({ key }) => !unknown.some((one) => one.key === key)).map(({ name }) => name),
    coverage: coverageOf(
      known.map(({ signal }) => signal.key),
      model,
    ),
  };
}

/** 0..100 of log-odds. */
export function toScore(logit: number): number {
  return 100 * sigmoid(logit);
}

function unknownOf(signal: Signal, { unknown = {} }: RiskSignals, model: RiskModel): Unknown[] {
  const why = unknown[signal.key] ?? (signal.optional ? undefined : 'not given');
  if (why === undefined) return [];
  return [{ key: signal.key, signal: signal.name, why, atMost: Math.max(0, model.coefficients[signal.key]) }];
}

function coverageOf(known: readonly RiskSignalKey[], { coefficients }: RiskModel): number {
  const weigh = (keys: readonly RiskSignalKey[]) => keys.reduce((sum, key) => sum + Math.abs(coefficients[key]), 0);
  const all = weigh(SIGNALS.map(({ key }) => key));
  return all === 0 ? 1 : weigh(known) / all;
}

function baseOf({ history }: RiskSignals): { known: boolean; logit: number; seen: string } {
  const known = history !== undefined && isCount(history.deployments) && isCount(history.failures);
  const deployments = known ? history.deployments : 0;
  const failures = known ? Math.min(history.failures, deployments) : 0;
  const rate = (failures + PRIOR.failures) / (deployments + PRIOR.failures + PRIOR.successes);
  const seen = known ? `${failures} of ${deployments} failed in 90 days` : 'the usual failure rate';
  return { known, logit: toLogit(rate), seen };
}
