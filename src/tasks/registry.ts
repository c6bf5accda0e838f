import { checks } from './checks.ts';
import { evaluation } from './evaluation.ts';
import { plan } from './plan.ts';
import { promotion } from './promotion.ts';
import { release } from './release.ts';
import { rollback } from './rollback.ts';
import { rollout } from './rollout.ts';
import { soak } from './soak.ts';
import { sync } from './sync.ts';
import type { TaskHandler } from './task.ts';
import { test } from './test.ts';

/** Every task that is worked on; an approval is decided by people and needs no handler. */
export const taskHandlers: readonly TaskHandler[] = [
  plan,
  checks,
  sync,
  rollout,
  test,
  evaluation,
  release,
  soak,
  promotion,
  rollback,
];
