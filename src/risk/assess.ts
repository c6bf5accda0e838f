import type { CheckAnswer } from '../engine/check.ts';
import type { RiskSignals } from './signals.ts';

export interface RiskPolicy {
  /** 0..100 */
  approvalAbove: number;
  denyAbove?: number;
}

/** One reason why the risk is what it is. */
export interface Contribution {
  signal: string;
  /** What was seen, for people: `420 lines`. */
  seen: string;
  /** How strongly it was seen, 0..1. */
  strength: number;
  /** Added to the log-odds; these add up exactly. */
  logit: number;
  /** How many points the score would lose without it. */
  points: number;
}

export interface RiskAssessment extends CheckAnswer {
  /** 0..100: the estimated chance of a failed deployment, in percent. */
  score: number;
}

/** One bad deployment in seven is ordinary; with a history of its own a service leaves this behind. */
const PRIOR = { failures: 1.5, successes: 8.5 };

/** From 9 h, when people are there, to 17 h, when they go. */
const WORK_START = 9 * 60;
const WORK_END = 17 * 60;
const DAY_MINUTES = 1440;
const FRIDAY = 4;
const FRIDAY_EVENING = 15 * 60;

/** In log-odds: what moves an ordinary risk of 15 by a point. Points themselves shrink near 100. */
const NOTEWORTHY = 0.1;

/** Always known, so it says nothing about whether the change is. */
const TIME = 'time';

interface Seen {
  strength: number;
  seen: string;
}

interface Signal {
  name: string;
  /** Weight in log-odds at full strength: judgement to begin with, to be fitted to outcomes later. */
  weight: number;
  /** `undefined`: not known. */
  look(signals: RiskSignals): Seen | undefined;
}

const SIGNALS: readonly Signal[] = [
  {
    name: 'size',
    weight: 0.8,
    look: ({ lines }) =>
      seen(
        lines,
        (n) => Math.log1p(n) / Math.log(2001),
        (n) => count(n, 'changed line'),
      ),
  },
  {
    name: 'files',
    weight: 0.3,
    look: ({ files }) =>
      seen(
        files,
        (n) => n / 40,
        (n) => count(n, 'file'),
      ),
  },
  {
    name: 'diffusion',
    weight: 0.5,
    look: ({ directories }) =>
      seen(
        directories,
        (n) => (n - 1) / 7,
        (n) => count(n, 'top-level directory', 'top-level directories'),
      ),
  },
  {
    name: 'batch',
    weight: 0.5,
    look: ({ commits }) =>
      seen(
        commits,
        (n) => (n - 1) / 19,
        (n) => count(n, 'commit'),
      ),
  },
  { name: 'sensitive paths', weight: 0.7, look: lookAtPaths },
  { name: 'recent failure', weight: 0.6, look: lookAtFailure },
  { name: 'error budget', weight: 0.6, look: lookAtBudget },
  { name: TIME, weight: 0.3, look: lookAtTime },
  {
    name: 'rollback',
    weight: -1.5,
    look: ({ rollback }) => flag(rollback, 'goes back to what ran before', 'no'),
  },
];

/**
 * Estimates the chance that a deployment fails and explains it: the smoothed failure rate of the
 * service in log-odds, plus a weighted strength per signal (families of signals after Kamei et al.,
 * "A large-scale empirical study of just-in-time quality assurance", TSE 2013). A signal that is not
 * known is named and counts nothing; when none is known, so is the risk. The score asks for a person
 * above `approvalAbove` and denies only where the policy says `denyAbove`.
 */
export function assessRisk(signals: RiskSignals, policy: RiskPolicy): RiskAssessment {
  const looked = SIGNALS.map((signal) => ({ signal, found: signal.look(signals) }));
  const history = historyOf(signals);
  const logits = looked.map(({ signal, found }) => signal.weight * (found?.strength ?? 0));
  const total = logits.reduce((sum, logit) => sum + logit, history.logit);
  const score = toScore(total);
  const contributions = looked.flatMap(({ signal, found }, index): Contribution[] => {
    const logit = logits[index] ?? 0;
    return found === undefined
      ? []
      : [{ signal: signal.name, ...found, logit, points: score - toScore(total - logit) }];
  });
  const missing = [
    ...(history.known ? [] : ['history']),
    ...looked.filter(({ found }) => found === undefined).map(({ signal }) => signal.name),
  ];
  const known = history.known || contributions.some(({ signal }) => signal !== TIME);
  return {
    check: 'risk',
    answer: known ? answerOf(score, policy) : 'unknown',
    score,
    reasons: known ? sayReasons(score, policy, contributions, missing) : ['nothing is known of the change'],
    figures: {
      score,
      probability: score / 100,
      approvalAbove: policy.approvalAbove,
      denyAbove: policy.denyAbove ?? null,
      base: { seen: history.seen, logit: history.logit, points: toScore(history.logit) },
      contributions: contributions.map((contribution) => ({ ...contribution })),
      missing,
    },
  };
}

function answerOf(score: number, policy: RiskPolicy): CheckAnswer['answer'] {
  if (policy.denyAbove !== undefined && score > policy.denyAbove) return 'deny';
  return score > policy.approvalAbove ? 'needs-approval' : 'pass';
}

function sayReasons(score: number, policy: RiskPolicy, contributions: Contribution[], missing: string[]): string[] {
  const limit =
    policy.denyAbove !== undefined && score > policy.denyAbove
      ? `above ${policy.denyAbove} it is denied`
      : `above ${policy.approvalAbove} a person must agree`;
  const strongest = contributions
    .filter((contribution) => Math.abs(contribution.logit) >= NOTEWORTHY)
    .sort((a, b) => Math.abs(b.logit) - Math.abs(a.logit))
    .map(
      ({ signal, seen: what, points }) =>
        `${signal} ${points > 0 ? 'adds' : 'takes'} ${Math.abs(points).toFixed(1)}: ${what}`,
    );
  const unseen = missing.length === 0 ? [] : [`not known, so not counted: ${missing.join(', ')}`];
  return [`risk ${score.toFixed(1)} of 100; ${limit}`, ...strongest, ...unseen];
}

function historyOf({ history }: RiskSignals): { known: boolean; logit: number; seen: string } {
  const known = history !== undefined && isCount(history.deployments) && isCount(history.failures);
  const deployments = known ? history.deployments : 0;
  const failures = known ? Math.min(history.failures, deployments) : 0;
  const rate = (failures + PRIOR.failures) / (deployments + PRIOR.failures + PRIOR.successes);
  const said = known
    ? `${failures} of ${count(deployments, 'deployment')} failed in 90 days`
    : 'the usual failure rate';
  return { known, logit: Math.log(rate / (1 - rate)), seen: said };
}

function lookAtPaths({ sensitive }: RiskSignals): Seen | undefined {
  return flag(sensitive && sensitive.length > 0, sensitive?.join(', ') ?? '', 'none');
}

/** Counts fully for a day, then fades until the third day is over. */
function lookAtFailure({ hoursSinceFailure }: RiskSignals): Seen | undefined {
  if (hoursSinceFailure === 'none') return { strength: 0, seen: 'it never failed' };
  return seen(
    hoursSinceFailure,
    (hours) => (72 - hours) / 48,
    (hours) => `failed ${Math.round(hours)} h ago`,
  );
}

function lookAtBudget({ budgetRemaining }: RiskSignals): Seen | undefined {
  if (budgetRemaining === undefined || !Number.isFinite(budgetRemaining)) return undefined;
  return { strength: unit(1 - budgetRemaining), seen: `${Math.round(budgetRemaining * 100)} % left` };
}

function lookAtTime({ localMinuteOfWeek: minute }: RiskSignals): Seen | undefined {
  if (minute === undefined || !(minute >= 0 && minute < 7 * DAY_MINUTES)) return undefined;
  const [day, time] = [Math.floor(minute / DAY_MINUTES), minute % DAY_MINUTES];
  if (day === FRIDAY && time >= FRIDAY_EVENING) return { strength: 1, seen: 'Friday evening' };
  if (day > FRIDAY) return { strength: 1, seen: 'weekend' };
  return flag(time < WORK_START || time >= WORK_END, 'out of hours', 'working hours');
}

function flag(raised: boolean | undefined, yes: string, no: string): Seen | undefined {
  return raised === undefined ? undefined : { strength: raised ? 1 : 0, seen: raised ? yes : no };
}

function seen(
  value: number | undefined,
  strength: (value: number) => number,
  say: (value: number) => string,
): Seen | undefined {
  if (value === undefined || !Number.isFinite(value) || value < 0) return undefined;
  return { strength: unit(strength(value)), seen: say(value) };
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function unit(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function toScore(logit: number): number {
  return 100 / (1 + Math.exp(-logit));
}
