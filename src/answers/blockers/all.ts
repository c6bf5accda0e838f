import type { BlockerRule } from '../told.ts';
import { approval } from './approval.ts';
import { budget } from './budget.ts';
import { checks } from './checks.ts';
import { ci } from './ci.ts';
import { conflict } from './conflict.ts';
import { gate } from './gate.ts';
import { health } from './health.ts';
import { noSignal } from './no-signal.ts';
import { queue } from './queue.ts';
import { review } from './review.ts';
import { risk } from './risk.ts';
import { soak } from './soak.ts';
import { stopped } from './stopped.ts';
import { sync } from './sync.ts';
import { tests } from './tests.ts';
import { window } from './window.ts';

/** In the order of `BLOCKER_KINDS`: the first that applies is told. */
export const BLOCKER_RULES: readonly BlockerRule[] = [
  stopped,
  noSignal,
  ci,
  checks,
  conflict,
  review,
  queue,
  budget,
  risk,
  window,
  approval,
  soak,
  sync,
  health,
  tests,
  gate,
];
