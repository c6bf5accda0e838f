import type { JsonObject } from '../base/json.ts';
import type {
  ComparisonPolicy,
  ErrorBudgetPolicy,
  HttpTest,
  PromotionPolicy,
  RollbackPolicy,
  Stage,
  WatchPolicy,
  Window,
} from '../definitions/delivery.ts';
import type { PromotionChange } from '../definitions/delivery-changes.ts';
import type { RiskPolicy } from '../definitions/delivery-risk.ts';
import type { SyncPolicy } from '../definitions/delivery-sync.ts';
import type { TaskName } from '../events/types.ts';
import type { Slo } from '../slo/evaluation.ts';
import type { Indicator } from '../slo/indicator.ts';

/** What was found in Git at the delivered commit, parsed and valid. */
export interface Found {
  /** Absent: labels alone. */
  stage?: Stage;
  /** The stages that come next, and where they deploy from; absent: none. */
  promotionTargets?: PromotionTarget[];
  /** What is written on their branches; absent: the verified commit is merged. */
  promotionChanges?: PromotionChange[];
  slo?: Slo;
  sli?: Record<string, string | Indicator>;
  /** With an OpenSLO document resolved into query, target and window. */
  errorBudget?: ErrorBudgetPolicy;
  files: { path: string; sha256: string }[];
  /** All of delivery.yaml; absent: there is none. */
  stages?: PlannedStage[];
}

/** A stage that a change goes to next. */
export interface PromotionTarget {
  to: string;
  /** Where that stage deploys from. */
  branch: string;
  /** All stages that promote to it: it gets a change only once each of them has verified it. Not in older logs. */
  from?: string[];
  /** When that stage may be deployed to, where nothing else would hold a sync back: its checks come after it. */
  windows?: Window[];
}

/** What will be done with one change in one stage: fixed when the sequence starts, kept in its log. */
export interface Plan {
  steps: PlannedTask[];
  files: { path: string; sha256: string }[];
  /** All stages of delivery.yaml in its order, and where each promotes to. Not in older logs. */
  stages?: PlannedStage[];
}

export interface PlannedStage {
  name: string;
  to?: string[];
}

export type PlannedTask =
  | (Step & {
      name: 'checks';
      errorBudget?: ErrorBudgetPolicy;
      risk?: RiskPolicy;
      windows: Window[];
    })
  | (Step & { name: 'approval'; always: boolean; quorum: number; groups: string[] })
  | (Step & { name: 'sync'; mode: 'gated' | 'automatic'; prune: boolean; policy?: SyncPolicy })
  | (Step & {
      name: 'rollout';
      settleMs: number;
      /** Not in older logs: `wait`. */
      suspended?: 'wait' | 'accept';
      /** The same of a Rollout that is paused. */
      paused?: 'wait' | 'promote' | 'fail';
    })
  /** Lets a paused canary go on once it was judged. */
  | (Step & { name: 'release' })
  | (Step & { name: 'test'; tests: HttpTest[] })
  | (Step & {
      name: 'evaluation';
      slo: Slo;
      /** Older logs have bare queries. */
      sli: Record<string, string | Indicator>;
      provider?: string;
      windowMs?: number;
      watch?: WatchPolicy;
      delayMs?: number;
      compareWith?: ComparisonPolicy;
      /** In older logs, instead of `compareWith`. */
      lastPassed?: number;
    })
  | (Step & { name: 'soak'; durationMs: number })
  | (Step &
      Omit<PromotionPolicy, 'to' | 'changes'> & {
        name: 'promotion';
        /** In older logs `to` and `branch` of the only one instead. */
        targets?: PromotionTarget[];
        to?: string;
        branch?: string;
        /** Absent: the verified commit is merged. */
        changes?: PromotionChange[];
      })
  /** Due only once something failed after the sync. */
  | (Step & {
      name: 'rollback';
      by: RollbackPolicy['by'];
      merge: RollbackPolicy['merge'];
      /** Where a revert goes; absent: the branch that the application deploys from. */
      branch?: string;
    });

interface Step {
  timeLimitMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How long each task may take, waiting for people and windows included. Waiting for an outage to end
 * counts too: past the limit somebody has to look, and the change fails.
 */
const LIMITS = {
  plan: HOUR,
  checks: 14 * DAY,
  approval: 7 * DAY,
  sync: HOUR,
  test: HOUR,
  evaluation: HOUR,
  promotion: 30 * DAY,
  rollback: 30 * DAY,
} as const satisfies Partial<Record<TaskName, number>>;

export const PLAN_TIME_LIMIT_MS: number = LIMITS.plan;

/** For an evaluation that somebody asks for, beside any change. */
export const EVALUATION_TIME_LIMIT_MS: number = LIMITS.evaluation;

const DEFAULT_ROLLOUT = { settleMs: 10_000, timeLimitMs: 10 * MINUTE };

/** The default delivery sequence, with the tasks that the stage asks for. */
export function planDelivery(found: Found): Plan {
  const { stage } = found;
  const steps: PlannedTask[] = [];
  if (stage && (stage.checks.risk || stage.checks.windows.length > 0 || found.errorBudget)) {
    steps.push({
      name: 'checks',
      timeLimitMs: LIMITS.checks,
      windows: stage.checks.windows,
      ...(found.errorBudget ? { errorBudget: found.errorBudget } : {}),
      ...(stage.checks.risk ? { risk: stage.checks.risk } : {}),
    });
  }
  if (stage?.approval || steps.length > 0) {
    steps.push({
      name: 'approval',
      timeLimitMs: stage?.approval?.expiresAfterMs ?? LIMITS.approval,
      always: stage?.approval !== undefined,
      quorum: stage?.approval?.quorum ?? 1,
      groups: stage?.approval?.groups ?? [],
    });
  }
  // Without a file nobody asked us to sync: we only watch what others deploy.
  steps.push({
    name: 'sync',
    // What the sync itself may take comes on top of what it may wait for.
    timeLimitMs: LIMITS.sync + (stage?.syncPolicy?.timeoutMs ?? 0),
    mode: stage?.sync ?? 'automatic',
    prune: stage?.prune ?? false,
    ...(stage?.syncPolicy === undefined ? {} : { policy: stage.syncPolicy }),
  });
  steps.push({ name: 'rollout', ...(stage?.rollout ?? DEFAULT_ROLLOUT) });
  if (stage && stage.tests.length > 0)
    steps.push({ name: 'test', timeLimitMs: LIMITS.test + loadMs(stage.tests), tests: stage.tests });
  if (found.slo) {
    steps.push(evaluationStep(found.slo, found.sli, stage?.evaluation));
  }
  // What was tested and judged may be a canary that waits for this.
  if (stage?.rollout.paused === 'promote') steps.push({ name: 'release', timeLimitMs: stage.rollout.timeLimitMs });
  const longestSoak = Math.max(stage?.soakMs ?? 0, ...Object.values(stage?.checks.risk?.soakMs ?? {}));
  // Left out again when neither the stage nor the change's risk asks for one.
  if (longestSoak > 0) steps.push({ name: 'soak', timeLimitMs: longestSoak + HOUR, durationMs: stage?.soakMs ?? 0 });
  const { promotionTargets: targets = [] } = found;
  if (stage?.promotion && targets.length > 0) {
    const { to: _, changes: __, ...policy } = stage.promotion;
    const { promotionChanges: changes } = found;
    const what = changes === undefined ? {} : { changes };
    steps.push({ name: 'promotion', timeLimitMs: LIMITS.promotion, targets, ...policy, ...what });
  }
  if (stage?.onFailure) {
    steps.push({
      name: 'rollback',
      timeLimitMs: LIMITS.rollback,
      ...stage.onFailure,
      ...(stage.branch === undefined ? {} : { branch: stage.branch }),
    });
  }
  return { steps, files: found.files, ...(found.stages === undefined ? {} : { stages: found.stages }) };
}

/**
 * What is done with the revert commit of a rollback: it is synced and has to become healthy. It was checked, tested and
 * judged when it was delivered first, and a closed gate must not keep a stage broken.
 */
export function planRollback(found: Found): Plan {
  const { steps, ...plan } = planDelivery(found);
  return { ...plan, steps: steps.filter(({ name }) => name === 'sync' || name === 'rollout' || name === 'release') };
}

function evaluationStep(slo: Slo, sli: Found['sli'], policy: Stage['evaluation']): PlannedTask {
  const { provider, windowMs, watch, delayMs, compareWith } = policy ?? {};
  return {
    name: 'evaluation',
    timeLimitMs: LIMITS.evaluation + (watch?.forMs ?? 0) + (delayMs ?? 0),
    slo,
    sli: sli ?? {},
    ...(provider === undefined ? {} : { provider }),
    ...(windowMs === undefined ? {} : { windowMs }),
    ...(watch === undefined ? {} : { watch }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(compareWith === undefined ? {} : { compareWith }),
  };
}

function loadMs(tests: readonly HttpTest[]): number {
  return tests.reduce((sum, test) => sum + (test.durationMs ?? 0), 0);
}

/** A plan is plain data and travels in an event. */
export function planToJson(plan: Plan): JsonObject {
  return JSON.parse(JSON.stringify(plan)) as JsonObject;
}

/** The plan out of the event that carried it; it was valid when it was written. */
export function planFromJson(data: JsonObject): Plan {
  return data as unknown as Plan;
}
