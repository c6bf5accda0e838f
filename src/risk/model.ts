import { sha256 } from '../base/ids.ts';
import { LOWERING_SIGNALS, RAISING_SIGNALS, type RiskSignalKey } from '../definitions/delivery-risk.ts';

/** Everything that turns signals into a score; it travels in every answer, so that old ones stay explicable. */
export interface RiskModel {
  /** Hash of intercept and coefficients. */
  id: string;
  /** `fitted`: refit to what became of earlier deployments. */
  origin: 'default' | 'fitted';
  /** Log-odds added to every change. */
  intercept: number;
  /** Log-odds of a signal at full strength. */
  coefficients: Readonly<Record<RiskSignalKey, number>>;
  /** Signals whose coefficient the stage's policy sets. */
  overridden?: RiskSignalKey[];
  /** How many outcomes it was fitted to. */
  outcomes?: number;
}

/** Judgement to begin with, not measurement; docs/risk.md gives the reason for each. */
const DEFAULTS: Readonly<Record<RiskSignalKey, number>> = {
  size: 0.8,
  files: 0.3,
  diffusion: 0.5,
  batch: 0.5,
  sensitivePaths: 0.7,
  configAndImage: 0.3,
  versionJump: 0.3,
  familiarity: 0.3,
  recentFailure: 0.6,
  lastDeployment: 0.2,
  alerts: 0.6,
  previousStage: 0.6,
  previousSoak: 0.4,
  errorBudget: 0.6,
  dependencies: 0.5,
  infrastructure: 0.7,
  time: 0.3,
  freeze: 0.3,
  selfApproval: 0.2,
  rollback: -1.5,
  noDifference: -2,
};

export const SIGNAL_KEYS: readonly RiskSignalKey[] = [...RAISING_SIGNALS, ...LOWERING_SIGNALS];

const RAISING: ReadonlySet<string> = new Set(RAISING_SIGNALS);

/** Whether a signal can only raise the risk; the others can only lower it. */
export function raises(key: RiskSignalKey): boolean {
  return RAISING.has(key);
}

/** A model, named by what it says. */
export function createModel(
  intercept: number,
  coefficients: RiskModel['coefficients'],
  more: Pick<RiskModel, 'origin' | 'overridden' | 'outcomes'>,
): RiskModel {
  const said = JSON.stringify([intercept, SIGNAL_KEYS.map((key) => [key, coefficients[key]])]);
  return { id: sha256(said).slice(0, 12), ...more, intercept, coefficients };
}

export const defaultModel: RiskModel = createModel(0, DEFAULTS, { origin: 'default' });

/** The model with the weights that a stage sets itself. */
export function withWeights(model: RiskModel, weights: Partial<Record<RiskSignalKey, number>> = {}): RiskModel {
  const overridden = SIGNAL_KEYS.filter((key) => weights[key] !== undefined);
  if (overridden.length === 0) return model;
  const { origin, outcomes } = model;
  const coefficients = { ...model.coefficients, ...weights };
  return createModel(model.intercept, coefficients, {
    origin,
    overridden,
    ...(outcomes === undefined ? {} : { outcomes }),
  });
}

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

export function toLogit(probability: number): number {
  return Math.log(probability / (1 - probability));
}
