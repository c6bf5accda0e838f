import type { ErrorBudgetPolicy } from './delivery-budget.ts';
import type { PromotionChange } from './delivery-changes.ts';
import type { MergePolicy } from './delivery-promotion-approval.ts';
import type { RiskPolicy } from './delivery-risk.ts';
import type { SyncPolicy } from './delivery-sync.ts';

export type { ErrorBudgetPolicy } from './delivery-budget.ts';

/** delivery.yaml as the rest of the house sees it: defaults filled in, durations in milliseconds, ratios 0..1. */
export interface Delivery {
  name: string;
  repository?: { url: string };
  /** Services it speaks for; empty: all that carry the project's label. */
  services: string[];
  stages: Stage[];
}

export interface Stage {
  name: string;
  /** The branch that this stage deploys from; needed where something is promoted to it. */
  branch?: string;
  /** `automatic`: the delivery system syncs, we verify. `gated`: we sync once the checks pass. */
  sync: 'automatic' | 'gated';
  prune: boolean;
  /** Absent: what the application says. */
  syncPolicy?: SyncPolicy;
  checks: Checks;
  /** Present when every change needs a person before it is synced. */
  approval?: ApprovalPolicy;
  /**
   * `suspended`: what a paused rollout or a suspended CronJob means; absent: `wait`. `paused`: of a Rollout of Argo
   * Rollouts; absent: `wait`.
   */
  rollout: {
    settleMs: number;
    timeLimitMs: number;
    suspended?: 'wait' | 'accept';
    paused?: 'wait' | 'promote' | 'fail';
  };
  tests: HttpTest[];
  /** File names are relative to delivery.yaml. Absent: no evaluation. */
  evaluation?: EvaluationPolicy;
  soakMs?: number;
  /** Absent: nothing is promoted from here. */
  promotion?: PromotionPolicy;
  /** Absent: a change that fails stays where it is. */
  onFailure?: RollbackPolicy;
}

export interface Checks {
  errorBudget?: ErrorBudgetPolicy;
  risk?: RiskPolicy;
  windows: Window[];
}

/** When something may happen, week by week. */
export interface Window {
  kind: 'allow' | 'deny';
  /** Minutes since Monday 00:00 in the time zone, 0..10080; end < start wraps around the week. */
  spans: { start: number; end: number }[];
  timeZone: string;
  reason: string;
  /** As it was written, for people. */
  text: string;
}

export interface ApprovalPolicy {
  quorum: number;
  groups: string[];
  /** An approval that nobody gave by then is refused. Default 7 days. */
  expiresAfterMs: number;
}

export interface HttpTest {
  kind: 'http';
  path: string;
  method: string;
  headers: Record<string, string>;
  connections: number;
  /** One of the two. */
  requests?: number;
  durationMs?: number;
  expect: {
    status: number[];
    /** Milliseconds by percentile, e.g. {p95: 300}. */
    latency: { p50?: number; p90?: number; p95?: number; p99?: number };
    /** 0..1; share of requests that failed or had another status. */
    errorRate: number;
  };
}

export interface EvaluationPolicy {
  slo: string;
  /** Files whose indicators are put together; none: only the tests' own figures and pushed ones are there. */
  sli: string[];
  /** Metrics source for queries in sli.yaml; absent: the only one, or the first. */
  provider?: string;
  /** Fixed length of the judged period, ending when it is evaluated; absent: the tests' own. */
  windowMs?: number;
  watch?: WatchPolicy;
  /** How long metrics take to arrive: nothing is read earlier than this after the end of a period. */
  delayMs?: number;
  /** Overrides the comparison of slo.yaml. */
  compareWith?: ComparisonPolicy;
  compatibility?: 'strict' | 'keptn';
}

/** Judges in steps while the change runs, and fails early. */
export interface WatchPolicy {
  forMs: number;
  everyMs: number;
  /** So many failing steps in a row end it. */
  failures: number;
}

/** What an evaluation is compared with; exactly one of them. */
export type ComparisonPolicy =
  /** The last so many, whatever their verdict. */
  | { previous: number }
  | { lastPassed: number }
  /** A pinned baseline, by its id. */
  | { evaluation: string }
  /** What ran in this stage before. */
  | { deployed: true }
  /** The newest one of another stage that passed. */
  | { stage: string }
  | { control: ControlPolicy };

/** Two groups over the same period: the same queries, with other variables. */
export interface ControlPolicy {
  variables: { experiment: Record<string, string>; control: Record<string, string> };
  stepMs: number;
}

/** How verified changes go on from a stage. What is optional is not in older plans, either. */
export interface PromotionPolicy extends Partial<MergePolicy> {
  /** Stages that come next, at least one; absent in the file: the one after this. */
  to: string[];
  onPass: 'automatic' | 'manual' | 'none';
  onWarning: 'automatic' | 'manual' | 'none';
  /** `latest` (default): a newer change takes the place of an older one; `queue`: one after the other. */
  order?: 'latest' | 'queue';
  /** What is done where Git cannot merge: `explain` (default), or the verified files win. */
  conflicts?: 'explain' | 'takeVerified';
  /** When it may be merged. */
  windows?: Window[];
  /** What is written on the target's branch, or the file beside delivery.yaml that says it. */
  changes?: PromotionChange[] | string;
}

/** How a stage goes back to its last good commit when a change fails there. */
export interface RollbackPolicy {
  /** `auto`: by pull request where the delivery system syncs by itself, else by sync. */
  by: 'auto' | 'pullRequest' | 'sync';
  /** Who merges the pull request. */
  merge: 'automatic' | 'manual';
}
