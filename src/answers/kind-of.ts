import type { Blocker } from '../events/types.ts';
import type { BlockerKind } from './change-row.ts';
import type { Check, Spot } from './spot.ts';

const CHECKS = { 'error-budget': 'budget', risk: 'risk', window: 'window' } as const satisfies Record<
  Check['name'],
  BlockerKind
>;

/** What a step is about when nothing more is known of it, and what it failed at. */
const STEPS: Readonly<Record<Spot['step'], BlockerKind>> = {
  build: 'ci',
  image: 'ci',
  manifest: 'ci',
  plan: 'ci',
  review: 'review',
  checks: 'checks',
  approval: 'approval',
  sync: 'sync',
  rollout: 'health',
  release: 'health',
  test: 'tests',
  evaluation: 'gate',
  soak: 'soak',
  promotion: 'review',
  rollback: 'sync',
  turn: 'queue',
};

const WAITS: Readonly<Record<Blocker['kind'], BlockerKind | undefined>> = {
  queue: 'queue',
  unreachable: 'no-signal',
  // Whose data is missing tells the step.
  data: undefined,
  budget: 'budget',
  risk: 'risk',
  window: 'window',
  approval: 'approval',
  sync: 'sync',
  health: 'health',
  tests: 'tests',
  evaluation: 'gate',
  soak: 'soak',
  review: 'review',
  conflict: 'conflict',
  stopped: 'stopped',
};

/** Data is missing because nobody answers. */
const SILENT = /cannot be reached|(?:has|did) not answer|timed? ?out/i;

/** What a spot waits for, or failed at, as far as its facts tell; the clock may know better. */
export function kindOf(spot: Spot): BlockerKind {
  const { failed, stopped, wait, step } = spot;
  if (failed) return failedKind(spot);
  if (stopped) return 'stopped';
  if (wait?.kind === 'data' && SILENT.test(wait.sentence)) return 'no-signal';
  const kind = wait && WAITS[wait.kind];
  // Approvals of a promotion are given with us where the Git host has no reviews.
  if (kind === 'review') return spot.approval ? 'approval' : 'review';
  if (kind) return kind;
  if (step === 'promotion') return spot.approval ? 'approval' : 'review';
  return stepKind(spot);
}

function failedKind(spot: Spot): BlockerKind {
  if (spot.failed?.reason === 'aborted') return 'stopped';
  // It did not stay healthy.
  return spot.step === 'soak' ? 'health' : stepKind(spot);
}

/** Our own checks before a deployment are told by their names; those of a Git host are `checks`. */
function stepKind({ step, check, stage, merged }: Spot): BlockerKind {
  if (step === 'checks' && stage !== undefined) return check ? CHECKS[check.name] : 'risk';
  if (step === 'turn' && (stage === undefined || merged)) return 'sync';
  return STEPS[step] ?? 'sync';
}
