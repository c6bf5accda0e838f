import { isJsonObject, type JsonObject } from '../base/json.ts';
import { RISK_DEFAULTS, type RiskPolicy } from '../definitions/delivery-risk.ts';
import type { CheckAnswer } from '../engine/check.ts';
import { sayProbe } from './looks.ts';
import { defaultModel, type RiskModel, withWeights } from './model.ts';
import { type RiskScore, scoreRisk } from './score.ts';
import { isRed, type Probe, type RiskSignals } from './signals.ts';

export type RiskLevel = 'low' | 'medium' | 'high';

export interface RiskAssessment extends CheckAnswer {
  /** 0..100: the estimated chance of a failed deployment, in percent. */
  score: number;
  /** With what is not known at its worst. */
  level: RiskLevel;
}

/** In log-odds: what moves an ordinary risk of 15 by a point. Points themselves shrink near 100. */
const NOTEWORTHY = 0.1;
/** Always known, so it says nothing about whether the change is. */
const SAYS_NOTHING: readonly string[] = ['time', 'freeze'];

/**
 * Estimates the chance that a deployment fails, explains it, and says what follows. A signal that is not
 * known is named and counts nothing in the score; the level is taken with it at its worst, so that an
 * outage never makes a change look harmless. The score asks for people and for a longer soak; it denies
 * only where the policy says `denyAbove`. Hard rules deny, or are waited for while they cannot be read.
 */
export function assessRisk(signals: RiskSignals, policy: RiskPolicy, fitted: RiskModel = defaultModel): RiskAssessment {
  const model = withWeights(fitted, policy.weights);
  const scored = scoreRisk(signals, model);
  const level = levelOf(scored.upTo, policy);
  const rules = hardRules(signals);
  const answer = answerOf(scored, level, policy, rules);
  const known =
    scored.base.known || scored.contributions.some(({ key }) => !SAYS_NOTHING.includes(key)) || rules.length > 0;
  const quorum = quorumOf(scored.upTo, level, policy);
  const soakMs = level === 'low' ? 0 : (policy.soakMs?.[level] ?? 0);
  const reasons = known
    ? sayReasons(scored, level, policy, rules, { quorum, soakMs })
    : ['nothing is known of the change'];
  return {
    check: 'risk',
    answer: known ? answer : 'unknown',
    score: scored.score,
    level,
    reasons,
    figures: figuresOf(scored, level, policy, model, rules),
    ...(quorum > 0 ? { approval: { quorum } } : {}),
    ...(soakMs > 0 ? { soakMs } : {}),
  };
}

function levelOf(score: number, policy: RiskPolicy): RiskLevel {
  const { medium, high } = policy.levels ?? RISK_DEFAULTS;
  if (score > high) return 'high';
  return score >= medium ? 'medium' : 'low';
}

function answerOf(
  scored: RiskScore,
  level: RiskLevel,
  policy: RiskPolicy,
  rules: readonly Probe[],
): CheckAnswer['answer'] {
  if (rules.some((rule) => isRed(rule) === true)) return 'deny';
  if (policy.denyAbove !== undefined && scored.score > policy.denyAbove) return 'deny';
  if (rules.some((rule) => isRed(rule) === undefined)) return 'unknown';
  return quorumOf(scored.upTo, level, policy) > 0 ? 'needs-approval' : 'pass';
}

function quorumOf(upTo: number, level: RiskLevel, policy: RiskPolicy): number {
  const byLevel = level === 'low' ? 0 : (policy.quorum?.[level] ?? 0);
  return Math.max(byLevel, upTo > policy.approvalAbove ? 1 : 0);
}

function hardRules({ dependencies = [], infrastructure = [] }: RiskSignals): Probe[] {
  return [...dependencies, ...infrastructure].filter(({ deny }) => deny === true);
}

function sayReasons(
  scored: RiskScore,
  level: RiskLevel,
  policy: RiskPolicy,
  rules: readonly Probe[],
  demands: { quorum: number; soakMs: number },
): string[] {
  const { score, upTo, contributions, unknown } = scored;
  const broken = rules.filter((rule) => isRed(rule) !== false).map(sayProbe);
  const strongest = contributions
    .filter((contribution) => Math.abs(contribution.logit) >= NOTEWORTHY)
    .sort((a, b) => Math.abs(b.logit) - Math.abs(a.logit))
    .map(
      ({ signal, seen, points }) =>
        `${signal} ${points > 0 ? 'adds' : 'takes'} ${Math.abs(points).toFixed(1)}: ${seen}`,
    );
  const missing =
    unknown.length === 0 ? [] : [`not known, so not counted: ${unknown.map(({ signal }) => signal).join(', ')}`];
  const couldBe =
    unknown.length > 0 && levelOf(score, policy) !== level ? `, ${level} as it could be ${upTo.toFixed(1)}` : '';
  return [
    ...broken,
    `risk ${score.toFixed(1)} of 100${couldBe}; ${sayLimit(score, policy, demands.quorum)}`,
    ...strongest,
    ...missing,
  ];
}

function sayLimit(score: number, policy: RiskPolicy, quorum: number): string {
  if (policy.denyAbove !== undefined && score > policy.denyAbove) return `above ${policy.denyAbove} it is denied`;
  if (quorum > 1) return `${quorum} people must agree`;
  return `above ${policy.approvalAbove} a person must agree`;
}

function figuresOf(
  scored: RiskScore,
  level: RiskLevel,
  policy: RiskPolicy,
  model: RiskModel,
  rules: readonly Probe[],
): JsonObject {
  const { score, unknown, ...rest } = scored;
  const { medium, high } = policy.levels ?? RISK_DEFAULTS;
  const figures: unknown = JSON.parse(
    JSON.stringify({
      score,
      probability: score / 100,
      level,
      levels: { medium, high },
      approvalAbove: policy.approvalAbove,
      denyAbove: policy.denyAbove ?? null,
      ...rest,
      missing: unknown.map(({ signal }) => signal),
      unknown,
      rules: rules.map((rule) => ({ name: rule.name, red: isRed(rule) ?? null, said: sayProbe(rule) })),
      model,
    }),
  );
  return isJsonObject(figures) ? figures : {};
}
