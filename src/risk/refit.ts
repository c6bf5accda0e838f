import type { RiskSignalKey } from '../definitions/delivery-risk.ts';
import type { Outcome } from './deployments.ts';
import { createModel, defaultModel, type RiskModel, raises, SIGNAL_KEYS, sigmoid } from './model.ts';
import { logLoss } from './reliability.ts';
import { type Case, fitRidge } from './ridge.ts';

/** Fewer outcomes than this say little of twenty coefficients. */
const LEAST_OUTCOMES = 100;
/** Of either kind: somebody who never saw a failure cannot tell what causes one. */
const LEAST_OF_EACH = 5;
const LOOK_BACK_MS = 180 * 86_400_000;
/** A coefficient is believed to within 0.5: the standard deviation of the prior that the penalty stands for. */
const LAMBDA = 4;
/** The newest share of the outcomes judges the fit, and takes no part in it. */
const HELD_OUT = 0.25;

export interface Refit {
  /** The fitted model when it is better, else the default one. */
  model: RiskModel;
  /** Why this model. */
  why: string;
  outcomes: number;
  heldOut?: { count: number; logLossOfDefault: number; logLossOfFit: number };
}

/**
 * Fits intercept and coefficients to outcomes of the last 180 days, drawn towards the defaults. Fitted to
 * the oldest three quarters and judged by the newest quarter; only when it says more of those than the
 * defaults do, all outcomes are fitted and the result is used.
 */
export function refit(outcomes: readonly Outcome[], now: Date): Refit {
  const recent = outcomes
    .filter(({ at }) => now.getTime() - Date.parse(at) <= LOOK_BACK_MS)
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const keep = (why: string, more: Pick<Refit, 'heldOut'> = {}): Refit => ({
    model: defaultModel,
    why: `the defaults are used: ${why}`,
    outcomes: recent.length,
    ...more,
  });
  const failures = recent.filter(({ failed }) => failed).length;
  if (recent.length < LEAST_OUTCOMES)
    return keep(`${recent.length} outcomes in 180 days, ${LEAST_OUTCOMES} are needed`);
  if (Math.min(failures, recent.length - failures) < LEAST_OF_EACH) {
    return keep(`${failures} of ${recent.length} failed, at least ${LEAST_OF_EACH} of each kind are needed`);
  }
  const cut = Math.floor(recent.length * (1 - HELD_OUT));
  const [trained, all] = [fitModel(recent.slice(0, cut)), fitModel(recent)];
  if (!trained || !all) return keep('the fit did not converge');
  const later = recent.slice(cut);
  const heldOut = {
    count: later.length,
    logLossOfDefault: logLoss(later.map((outcome) => predictedBy(defaultModel, outcome))),
    logLossOfFit: logLoss(later.map((outcome) => predictedBy(trained, outcome))),
  };
  const compared = `log-loss ${heldOut.logLossOfFit.toFixed(4)}, ${heldOut.logLossOfDefault.toFixed(4)} by default`;
  if (!(heldOut.logLossOfFit < heldOut.logLossOfDefault)) {
    return keep(`the fit is no better on the newest ${later.length} outcomes (${compared})`, { heldOut });
  }
  return {
    model: all,
    why: `fitted to ${recent.length} outcomes: better on the newest ${later.length} (${compared})`,
    outcomes: recent.length,
    heldOut,
  };
}

/** What a model would have said of a change, with the base rate of that time. */
export function predictedBy<O extends Outcome>(model: RiskModel, outcome: O): O {
  const logit = SIGNAL_KEYS.reduce(
    (sum, key) => sum + model.coefficients[key] * (outcome.strengths[key] ?? 0),
    outcome.base + model.intercept,
  );
  return { ...outcome, probability: sigmoid(logit) };
}

/**
 * A coefficient that would turn against its signal's direction is set to 0 and the others are fitted
 * again, so that more of what is bad never looks good.
 */
function fitModel(outcomes: readonly Outcome[]): RiskModel | undefined {
  const silent = new Set<RiskSignalKey>();
  for (;;) {
    const keys = SIGNAL_KEYS.filter((key) => !silent.has(key));
    const cases = outcomes.map(
      ({ base, strengths, failed }): Case => ({
        offset: base,
        x: [1, ...keys.map((key) => strengths[key] ?? 0)],
        y: failed ? 1 : 0,
      }),
    );
    const towards = [defaultModel.intercept, ...keys.map((key) => defaultModel.coefficients[key])];
    const { coefficients, converged } = fitRidge(cases, towards, LAMBDA);
    if (!converged) return undefined;
    const fitted = new Map(keys.map((key, at) => [key, coefficients[at + 1] ?? 0]));
    const turned = keys.filter((key) => (fitted.get(key) ?? 0) * (raises(key) ? 1 : -1) < 0);
    if (turned.length === 0) return toModel(coefficients[0] ?? 0, fitted, outcomes.length);
    for (const key of turned) silent.add(key);
  }
}

function toModel(intercept: number, fitted: ReadonlyMap<RiskSignalKey, number>, outcomes: number): RiskModel {
  const coefficients = Object.fromEntries(SIGNAL_KEYS.map((key) => [key, fitted.get(key) ?? 0]));
  return createModel(intercept, coefficients as RiskModel['coefficients'], { origin: 'fitted', outcomes });
}
