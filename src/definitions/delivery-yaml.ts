import { parseWindow } from '../engine/windows.ts';
import type {
  ApprovalPolicy,
  Checks,
  Delivery,
  ErrorBudgetPolicy,
  EvaluationPolicy,
  HttpTest,
  PromotionPolicy,
  Stage,
  Window,
} from './delivery.ts';
import { crossCheck } from './delivery-cross-check.ts';
import { RISK_DEFAULTS, toRiskPolicy } from './delivery-risk.ts';
import { type DeliveryFile, deliverySchema, type StageFile } from './delivery-schema.ts';
import type { Parsed, Problem } from './problem.ts';
import { toMs, toRatio } from './quantities.ts';
import { MAX_PROBLEMS, readYaml } from './read-yaml.ts';
import { validator } from './validate.ts';

/** What a delivery.yaml means where it says nothing. */
export const DELIVERY_DEFAULTS = {
  sync: 'automatic',
  prune: false,
  settle: '10s',
  rolloutTimeout: '10m',
  quorum: 1,
  approvalExpires: '7d',
  riskApprovalAbove: RISK_DEFAULTS.approvalAbove,
  riskMedium: RISK_DEFAULTS.medium,
  riskHigh: RISK_DEFAULTS.high,
  minimumRemaining: 0,
  onMissingData: 'wait',
  timeZone: 'UTC',
  path: '/',
  method: 'GET',
  status: 200,
  errorRate: 0,
  requests: 200,
  concurrency: 10,
  onPass: 'manual',
  onWarning: 'none',
} as const;

const validate = validator(deliverySchema);

/** Reads a delivery.yaml; every mistake in it is reported at once, with its place. Never throws. */
export function parseDelivery(text: string, file: string): Parsed<Delivery> {
  const document = readYaml(text, file);
  if (!document.ok) return document;
  const valid = validate(document.value);
  const crossed = crossCheck(document.value);
  if (!valid.ok) return refuse([...valid.problems, ...crossed]);
  return crossed.length > 0 ? refuse(crossed) : { ok: true, value: toDelivery(valid.value) };
}

/** In file order; a place that two rules complain about says so once per rule. */
function refuse(problems: Problem[]): { ok: false; problems: Problem[] } {
  const ordered = problems
    .filter((problem) => !isSaidBetter(problem, problems))
    .sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems: ordered.slice(0, MAX_PROBLEMS) };
}

/** What the schema says of keys like `k6` and `onFailure` repeats what a rule of ours says better. */
function isSaidBetter(problem: Problem, problems: Problem[]): boolean {
  const unknown = problem.message.startsWith('unknown property');
  if (!unknown && problem.message !== '"http" is missing') return false;
  return problems.some(
    (other) =>
      other !== problem &&
      other.path === problem.path &&
      (unknown ? samePlace(other, problem) : other.message.startsWith('unknown kind')),
  );
}

function samePlace(a: Problem, b: Problem): boolean {
  return a.line === b.line && a.column === b.column;
}

function toDelivery(file: DeliveryFile): Delivery {
  return {
    name: file.metadata.name,
    ...(file.spec.repository === undefined ? {} : { repository: file.spec.repository }),
    services: file.spec.services ?? [],
    stages: file.spec.stages.map((stage, at) => toStage(stage, file.spec.stages[at + 1]?.name)),
  };
}

function toStage(stage: StageFile, next: string | undefined): Stage {
  const promotion = toPromotion(stage.promotion, next);
  return {
    name: stage.name,
    ...(stage.branch === undefined ? {} : { branch: stage.branch }),
    sync: stage.sync ?? DELIVERY_DEFAULTS.sync,
    prune: stage.prune ?? DELIVERY_DEFAULTS.prune,
    checks: toChecks(stage.checks),
    ...(stage.approval === undefined ? {} : { approval: toApproval(stage.approval) }),
    rollout: {
      settleMs: toMs(stage.rollout?.settle ?? DELIVERY_DEFAULTS.settle),
      timeLimitMs: toMs(stage.rollout?.timeout ?? DELIVERY_DEFAULTS.rolloutTimeout),
    },
    tests: (stage.tests ?? []).map((test) => toHttpTest(test.http)),
    ...(stage.evaluation === undefined ? {} : { evaluation: toEvaluation(stage.evaluation) }),
    ...(stage.soak === undefined ? {} : { soakMs: toMs(stage.soak) }),
    ...(promotion === undefined ? {} : { promotion }),
  };
}

function toChecks(checks: StageFile['checks']): Checks {
  const { errorBudget, risk, windows = [] } = checks ?? {};
  return {
    ...(errorBudget === undefined ? {} : { errorBudget: toErrorBudget(errorBudget) }),
    ...(risk === undefined ? {} : { risk: toRiskPolicy(risk) }),
    windows: windows.map(toWindow),
  };
}

function toErrorBudget(budget: NonNullable<NonNullable<StageFile['checks']>['errorBudget']>): ErrorBudgetPolicy {
  return {
    ...(budget.openslo === undefined ? {} : { openslo: budget.openslo }),
    ...(budget.errorRatio === undefined ? {} : { errorRatio: budget.errorRatio }),
    ...(budget.target === undefined ? {} : { target: toRatio(budget.target) }),
    ...(budget.window === undefined ? {} : { windowMs: toMs(budget.window) }),
    ...(budget.provider === undefined ? {} : { provider: budget.provider }),
    minimumRemaining: toRatio(budget.minimumRemaining ?? DELIVERY_DEFAULTS.minimumRemaining),
    ...(budget.approvalBelow === undefined ? {} : { approvalBelow: toRatio(budget.approvalBelow) }),
    maximumBurnRate: Object.entries(budget.maximumBurnRate ?? {})
      .map(([window, factor]) => ({ windowMs: toMs(window), factor }))
      .sort((a, b) => a.windowMs - b.windowMs),
    onMissingData: budget.onMissingData ?? DELIVERY_DEFAULTS.onMissingData,
  };
}

function toWindow(window: NonNullable<NonNullable<StageFile['checks']>['windows']>[number]): Window {
  const text = window.deny ?? window.allow ?? '';
  const parsed = parseWindow(text);
  return {
    kind: window.deny === undefined ? 'allow' : 'deny',
    spans: parsed.ok ? parsed.spans : [],
    timeZone: window.timeZone ?? DELIVERY_DEFAULTS.timeZone,
    reason: window.reason ?? '',
    text,
  };
}

function toApproval(approval: NonNullable<StageFile['approval']>): ApprovalPolicy {
  return {
    quorum: approval.quorum ?? DELIVERY_DEFAULTS.quorum,
    groups: approval.groups ?? [],
    expiresAfterMs: toMs(approval.expires ?? DELIVERY_DEFAULTS.approvalExpires),
  };
}

function toHttpTest(http: NonNullable<StageFile['tests']>[number]['http']): HttpTest {
  const status = http.expect?.status ?? DELIVERY_DEFAULTS.status;
  return {
    kind: 'http',
    path: http.path ?? DELIVERY_DEFAULTS.path,
    method: http.method ?? DELIVERY_DEFAULTS.method,
    headers: http.headers ?? {},
    connections: http.concurrency ?? DELIVERY_DEFAULTS.concurrency,
    ...(http.duration === undefined
      ? { requests: http.requests ?? DELIVERY_DEFAULTS.requests }
      : { durationMs: toMs(http.duration) }),
    expect: {
      status: Array.isArray(status) ? status : [status],
      latency: Object.fromEntries(
        Object.entries(http.expect?.latency ?? {}).map(([percentile, limit]) => [percentile, toMs(limit)]),
      ),
      errorRate: toRatio(http.expect?.errorRate ?? DELIVERY_DEFAULTS.errorRate),
    },
  };
}

function toEvaluation(evaluation: NonNullable<StageFile['evaluation']>): EvaluationPolicy {
  const { window, ...rest } = evaluation;
  return { ...rest, ...(window === undefined ? {} : { windowMs: toMs(window) }) };
}

function toPromotion(promotion: StageFile['promotion'], next: string | undefined): PromotionPolicy | undefined {
  const to = promotion?.to ?? next;
  if (promotion === undefined || to === undefined) return undefined;
  return {
    to,
    onPass: promotion.onPass ?? DELIVERY_DEFAULTS.onPass,
    onWarning: promotion.onWarning ?? DELIVERY_DEFAULTS.onWarning,
  };
}
