import type {
  ApprovalPolicy,
  Checks,
  ComparisonPolicy,
  Delivery,
  EvaluationPolicy,
  HttpTest,
  Stage,
  WatchPolicy,
} from './delivery.ts';
import { BUDGET_DEFAULTS, toErrorBudgetPolicy } from './delivery-budget.ts';
import { crossCheck } from './delivery-cross-check.ts';
import { PROMOTION_DEFAULTS, toPromotion } from './delivery-promotion.ts';
import { RISK_DEFAULTS, toRiskPolicy } from './delivery-risk.ts';
import { ROLLBACK_DEFAULTS, toRollbackPolicy } from './delivery-rollback.ts';
import { type DeliveryFile, deliverySchema, type StageFile } from './delivery-schema.ts';
import { toSyncPolicy } from './delivery-sync.ts';
import { DEFAULT_TIME_ZONE, toWindow } from './delivery-window.ts';
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
  suspended: 'wait',
  quorum: 1,
  approvalExpires: '7d',
  riskApprovalAbove: RISK_DEFAULTS.approvalAbove,
  riskMedium: RISK_DEFAULTS.medium,
  riskHigh: RISK_DEFAULTS.high,
  minimumRemaining: BUDGET_DEFAULTS.minimumRemaining,
  approvalBelow: BUDGET_DEFAULTS.approvalBelow,
  confidence: BUDGET_DEFAULTS.confidence,
  onMissingData: BUDGET_DEFAULTS.onMissingData,
  timeZone: DEFAULT_TIME_ZONE,
  path: '/',
  method: 'GET',
  status: 200,
  errorRate: 0,
  requests: 200,
  concurrency: 10,
  watchEvery: '1m',
  watchFailures: 1,
  controlStep: '1m',
  onPass: PROMOTION_DEFAULTS.onPass,
  onWarning: PROMOTION_DEFAULTS.onWarning,
  order: PROMOTION_DEFAULTS.order,
  conflicts: PROMOTION_DEFAULTS.conflicts,
  onFailure: 'none',
  rollbackBy: ROLLBACK_DEFAULTS.by,
  rollbackMerge: ROLLBACK_DEFAULTS.merge,
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

/** What the schema says of keys like `k6` repeats what a rule of ours says better. */
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
  const syncPolicy = toSyncPolicy(stage.syncPolicy);
  const onFailure = toRollbackPolicy(stage.onFailure);
  return {
    name: stage.name,
    ...(stage.branch === undefined ? {} : { branch: stage.branch }),
    sync: stage.sync ?? DELIVERY_DEFAULTS.sync,
    prune: stage.prune ?? DELIVERY_DEFAULTS.prune,
    ...(syncPolicy === undefined ? {} : { syncPolicy }),
    checks: toChecks(stage.checks),
    ...(stage.approval === undefined ? {} : { approval: toApproval(stage.approval) }),
    rollout: {
      settleMs: toMs(stage.rollout?.settle ?? DELIVERY_DEFAULTS.settle),
      timeLimitMs: toMs(stage.rollout?.timeout ?? DELIVERY_DEFAULTS.rolloutTimeout),
      ...(stage.rollout?.suspended === undefined ? {} : { suspended: stage.rollout.suspended }),
      ...(stage.rollout?.paused === undefined ? {} : { paused: stage.rollout.paused }),
    },
    tests: (stage.tests ?? []).map((test) => toHttpTest(test.http)),
    ...(stage.evaluation === undefined ? {} : { evaluation: toEvaluation(stage.evaluation) }),
    ...(stage.soak === undefined ? {} : { soakMs: toMs(stage.soak) }),
    ...(promotion === undefined ? {} : { promotion }),
    ...(onFailure === undefined ? {} : { onFailure }),
  };
}

function toChecks(checks: StageFile['checks']): Checks {
  const { errorBudget, risk, windows = [] } = checks ?? {};
  return {
    ...(errorBudget === undefined ? {} : { errorBudget: toErrorBudgetPolicy(errorBudget) }),
    ...(risk === undefined ? {} : { risk: toRiskPolicy(risk) }),
    windows: windows.map(toWindow),
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

type EvaluationFile = NonNullable<StageFile['evaluation']>;

function toEvaluation({ sli = [], window, watch, delay, compareWith, ...rest }: EvaluationFile): EvaluationPolicy {
  return {
    ...rest,
    sli: typeof sli === 'string' ? [sli] : sli,
    ...(window === undefined ? {} : { windowMs: toMs(window) }),
    ...(watch === undefined ? {} : { watch: toWatch(watch) }),
    ...(delay === undefined ? {} : { delayMs: toMs(delay) }),
    ...(compareWith === undefined ? {} : { compareWith: toComparison(compareWith) }),
  };
}

function toWatch(watch: NonNullable<EvaluationFile['watch']>): WatchPolicy {
  return {
    forMs: toMs(watch.for),
    everyMs: toMs(watch.every ?? DELIVERY_DEFAULTS.watchEvery),
    failures: watch.failures ?? DELIVERY_DEFAULTS.watchFailures,
  };
}

/** For a comparison that schema and cross-checks have accepted. */
export function toComparison({ control, ...other }: NonNullable<EvaluationFile['compareWith']>): ComparisonPolicy {
  if (control === undefined) return other as ComparisonPolicy;
  const stepMs = toMs(control.step ?? DELIVERY_DEFAULTS.controlStep);
  return { control: { variables: control.variables, stepMs } };
}
