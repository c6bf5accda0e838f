import type { BlockerKind } from '../../src/answers/change-row.ts';

/** What became of others that failed like it. */
const LIKE_IT =
  '0 % by itself; of 7 that failed like this 2 went on (half within 25 min), 4 gave way to a newer change';

/** The five answers about every golden change, word for word: at the golden moment, and half an hour later. */
export const GOLDEN: Record<BlockerKind, { now: string[]; later: string[] }> = {
  stopped: {
    now: [
      'waiting: dev passed, staging passed, production waiting',
      'stopped: The line to production was stopped by lin: payments are down',
      '@lin lets the line go on',
      '23 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'waiting: dev passed, staging passed, production waiting',
      'stopped: The line to production was stopped by lin: payments are down',
      '@lin lets the line go on',
      '53 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  'no-signal': {
    now: [
      'unknown: dev passed, staging unknown, production idle',
      'no-signal: No signal for 41 min; usually under 5 min. Last: the sync was asked for',
      'You or sre check the connection [Connections]',
      '41 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'unknown: dev passed, staging unknown, production idle',
      'no-signal: No signal for 71 min; usually under 5 min. Last: the sync was asked for',
      'You or sre check the connection [Connections]',
      '71 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  ci: {
    now: [
      'failed: dev idle, staging idle, production idle',
      'ci: Image build failed at step 2 of 4: go test',
      '@ada fixes',
      '20 min, then nothing',
      LIKE_IT,
    ],
    later: [
      'failed: dev idle, staging idle, production idle',
      'ci: Image build failed at step 2 of 4: go test',
      '@ada fixes',
      '50 min, then nothing',
      LIKE_IT,
    ],
  },
  checks: {
    now: [
      'failed: dev idle, staging idle, production idle',
      'checks: PR 412: check e2e failed',
      '@ada fixes [Open the check]',
      '20 min, then nothing',
      LIKE_IT,
    ],
    later: [
      'failed: dev idle, staging idle, production idle',
      'checks: PR 412: check e2e failed',
      '@ada fixes [Open the check]',
      '50 min, then nothing',
      LIKE_IT,
    ],
  },
  conflict: {
    now: [
      'waiting: dev passed, staging passed, production idle',
      'conflict: PR 412: 2 files collide with stage/production: values.yaml',
      '@ada resolves [Open PR 412]',
      '23 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'waiting: dev passed, staging passed, production idle',
      'conflict: PR 412: 2 files collide with stage/production: values.yaml',
      '@ada resolves [Open PR 412]',
      '53 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  review: {
    now: [
      'waiting: dev passed, staging passed, production idle',
      'review: PR 412 to production needs 1 more of acme/release-managers',
      'acme/release-managers approve [Open PR 412]',
      '23 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'waiting: dev passed, staging passed, production idle',
      'review: PR 412 to production needs 1 more of acme/release-managers',
      'acme/release-managers approve [Open PR 412]',
      '53 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  queue: {
    now: [
      'queued: dev passed, staging queued, production idle',
      'queue: Behind checkout 1.8.1 in staging',
      'You (payments-approvers) approve [Approve or reject]',
      '23 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'queued: dev passed, staging queued, production idle',
      'queue: Behind checkout 1.8.1 in staging',
      'You (payments-approvers) approve [Approve or reject]',
      '53 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  budget: {
    now: [
      'waiting: dev passed, staging passed, production waiting',
      'budget: Error budget 4 % left, needs 20 %',
      'sre override [Override: You are not an operator.]',
      '23 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'waiting: dev passed, staging passed, production waiting',
      'budget: Error budget 4 % left, needs 20 %',
      'sre override [Override: You are not an operator.]',
      '53 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  risk: {
    now: [
      'waiting: dev passed, staging passed, production waiting',
      'risk: Risk 81, limit 60: 3 incidents in 24 h',
      'sre override [Override: You are not an operator.]',
      '23 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'waiting: dev passed, staging passed, production waiting',
      'risk: Risk 81, limit 60: 3 incidents in 24 h',
      'sre override [Override: You are not an operator.]',
      '53 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  window: {
    now: [
      'waiting: dev passed, staging passed, production waiting',
      'window: Sync window closed until 18:00 UTC: deny daily 09:00, AppProject shop',
      'by itself 18:00',
      '23 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'waiting: dev passed, staging passed, production waiting',
      'window: Sync window closed until 18:00 UTC: deny daily 09:00, AppProject shop',
      'by itself 18:00',
      '53 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  approval: {
    now: [
      'waiting: dev passed, staging passed, production waiting',
      'approval: Approval: gate warned (82, needs 90)',
      'You (payments-approvers) approve [Approve or reject]',
      '23 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'waiting: dev passed, staging passed, production waiting',
      'approval: Approval: gate warned (82, needs 90)',
      'You (payments-approvers) approve [Approve or reject]',
      '53 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  soak: {
    now: [
      'running: dev passed, staging running, production idle',
      'soak: Soaking in staging, 22 min left',
      'by itself 13:12',
      '23 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'running: dev passed, staging running, production idle',
      'soak: Soaking in staging, about to end',
      'by itself 13:12',
      '53 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  sync: {
    now: [
      'running: dev passed, staging running, production idle',
      'sync: Sync to staging: wave 3 of 5: Job migrate',
      'nobody',
      '2 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'unknown: dev passed, staging unknown, production idle',
      'no-signal: No signal for 31 min; usually under 5 min. Last: wave 3 of 5: Job migrate',
      'You or sre check the connection [Connections]',
      '31 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  health: {
    now: [
      'running: dev passed, staging running, production idle',
      'health: Health in staging: Degraded: Deployment checkout: 1 of 3 pods not ready, ImagePullBackOff',
      'You or @ada or sre fix',
      '23 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'running: dev passed, staging running, production idle',
      'health: Health in staging: Degraded: Deployment checkout: 1 of 3 pods not ready, ImagePullBackOff',
      'You or @ada or sre fix',
      '53 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  tests: {
    now: [
      'running: dev passed, staging running, production idle',
      'tests: Tests running in staging',
      'nobody',
      '1 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
    later: [
      'running: dev passed, staging running, production idle',
      'tests: Tests running in staging',
      'nobody',
      '31 min, then ~14 min (7–31)',
      '88 % (71–95, 34 runs)',
    ],
  },
  gate: {
    now: [
      'failed: dev passed, staging failed, production idle',
      'gate: SLO gate failed: response_time_p95 612 ms > 500 ms',
      '@ada fixes; operators roll back [Roll back: You are not an operator.]; sre override [Override: You are not an operator.]',
      '8 min, then nothing',
      LIKE_IT,
    ],
    later: [
      'failed: dev passed, staging failed, production idle',
      'gate: SLO gate failed: response_time_p95 612 ms > 500 ms',
      '@ada fixes; operators roll back [Roll back: You are not an operator.]; sre override [Override: You are not an operator.]',
      '38 min, then nothing',
      LIKE_IT,
    ],
  },
  none: {
    now: [
      'passed: dev passed, staging passed, production passed',
      'none: In production since 12:40 UTC',
      'nobody',
      '10 min, then nothing',
      'nothing',
    ],
    later: [
      'passed: dev passed, staging passed, production passed',
      'none: In production since 12:40 UTC',
      'nobody',
      '40 min, then nothing',
      'nothing',
    ],
  },
};
