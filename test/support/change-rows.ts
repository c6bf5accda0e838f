import type { ChangeFacts } from '../../src/answers/change-facts.ts';
import type { BlockerKind, Cell } from '../../src/answers/change-row.ts';
import type { Spot } from '../../src/answers/spot.ts';
import type { Viewer } from '../../src/answers/viewer.ts';

/** The moment at which the golden changes are looked at. */
export const GOLDEN_NOW = '2026-11-19T12:50:00.000Z';

/** So many minutes before that moment. */
export function ago(minutes: number): string {
  return new Date(Date.parse(GOLDEN_NOW) - minutes * 60_000).toISOString();
}

export const REVISION = 'a1b2c3d4e5f60718293a4b5c6d7e8f9001122334';
const DIGEST = 'sha256:9c1e5d2b7a4f3c8e6d0b1a29384756fedcba0123456789abcdef0123456789ab';
export const EARLIER = 'c1e7a0d2';

const DEV: Cell = { stage: 'dev', state: 'passed', version: '1.8.2', previous: '1.8.1', score: 98 };
const STAGING: Cell = { stage: 'staging', state: 'passed', version: '1.8.2', previous: '1.8.1', score: 96 };
const PROD: Cell = { stage: 'production', state: 'idle' };

const CHANGE: ChangeFacts = {
  id: 'b7c41d09',
  rev: 27,
  project: 'shop',
  service: 'checkout',
  team: 'payments',
  owners: ['omar', 'group:sre'],
  title: 'Retry card timeouts once',
  version: '1.8.2',
  kind: 'code',
  author: { name: 'Ada Lovelace', login: 'ada' },
  commit: { text: 'a1b2c3d4', id: REVISION, url: `https://github.com/acme/shop/commit/${REVISION}` },
  pr: { text: 'PR 412', url: 'https://github.com/acme/shop/pull/412' },
  createdAt: ago(48),
  movedAt: ago(23),
  state: 'running',
  cells: [DEV, STAGING, PROD],
  spots: [],
  images: [`ghcr.io/acme/checkout:1.8.2@${DIGEST}`],
};

/** A change that stands in a stage. */
export function goldenChange(cell: Partial<Cell>, spot: Partial<Spot>, rest: Partial<ChangeFacts> = {}): ChangeFacts {
  const stage = spot.stage ?? 'staging';
  const state = cell.state ?? 'running';
  return {
    ...CHANGE,
    state,
    cells: CHANGE.cells.map((one) => (one.stage === stage ? { ...one, version: '1.8.2', ...cell, state } : one)),
    spots: [
      {
        stage,
        sequence: 'seq-2',
        revision: REVISION,
        step: 'sync',
        task: 'seq-2.3-sync',
        since: ago(23),
        heardAt: ago(23),
        ...spot,
      },
    ],
    ...rest,
  };
}

/** Before the first stage: nothing but CI has told of it. */
function early(spot: Omit<Spot, 'since' | 'heardAt'>, rest: Partial<ChangeFacts> = {}): ChangeFacts {
  const idle = CHANGE.cells.map(({ stage }) => ({ stage, state: 'idle' as const }));
  return {
    ...CHANGE,
    state: spot.reported?.state ?? 'running',
    cells: idle,
    spots: [{ since: ago(23), heardAt: ago(20), ...spot }],
    ...rest,
  };
}

/** One change per kind of waiting, with everything that its answers need. */
export const goldenFacts: Record<BlockerKind, ChangeFacts> = {
  stopped: goldenChange(
    { state: 'waiting' },
    {
      stage: 'production',
      stopped: {
        what: 'line',
        actor: 'lin',
        reason: 'payments are down',
        at: ago(23),
        scope: 'the line to production',
      },
    },
  ),
  'no-signal': goldenChange(
    { state: 'running' },
    {
      heardAt: ago(41),
      since: ago(41),
      wait: { kind: 'sync', sentence: 'the sync was asked for', since: ago(41) },
    },
  ),
  ci: early({ step: 'image', reported: { state: 'failed', detail: 'step 2 of 4: go test' } }),
  checks: early({
    step: 'checks',
    reported: { state: 'failed', detail: 'e2e', url: 'https://github.com/acme/shop/runs/9' },
  }),
  conflict: goldenChange(
    { state: 'passed', score: 96 },
    {
      step: 'promotion',
      wait: { kind: 'conflict', sentence: '2 files collide with stage/production: values.yaml', since: ago(23) },
      review: {
        to: 'production',
        number: 412,
        url: 'https://github.com/acme/shop/pull/412',
        quorum: 1,
        groups: ['acme/release-managers'],
        approved: [],
      },
    },
    { state: 'waiting' },
  ),
  review: goldenChange(
    { state: 'passed', score: 96 },
    {
      step: 'promotion',
      wait: { kind: 'review', sentence: 'pull request 412 to production has 1 of 2 approvals', since: ago(23) },
      review: {
        to: 'production',
        number: 412,
        url: 'https://github.com/acme/shop/pull/412',
        quorum: 2,
        groups: ['acme/release-managers'],
        approved: ['lin'],
      },
    },
    { state: 'waiting' },
  ),
  queue: goldenChange(
    { state: 'queued' },
    { step: 'turn', ahead: { change: EARLIER, text: 'checkout 1.8.1' } },
    { state: 'queued' },
  ),
  budget: goldenChange(
    { state: 'waiting' },
    {
      stage: 'production',
      step: 'checks',
      check: { name: 'error-budget', value: 0.04, limit: 0.2 },
      override: ['sre'],
      wait: {
        kind: 'budget',
        sentence: '4 % of the error budget is left, at least 20 % is needed',
        since: ago(23),
      },
    },
  ),
  risk: goldenChange(
    { state: 'waiting' },
    {
      stage: 'production',
      step: 'checks',
      check: { name: 'risk', value: 81, limit: 60, why: '3 incidents in 24 h' },
      override: ['sre'],
      wait: { kind: 'risk', sentence: 'risk 81.0 of 100; above 60 it is denied', since: ago(23) },
    },
  ),
  window: goldenChange(
    { state: 'waiting' },
    {
      stage: 'production',
      wait: {
        kind: 'window',
        sentence: 'an Argo CD sync window is closed until Thu 18:00 (deny daily 09:00, AppProject shop)',
        since: ago(23),
        until: '2026-11-19T18:00:00.000Z',
      },
    },
  ),
  approval: goldenChange(
    { state: 'waiting' },
    {
      stage: 'production',
      step: 'approval',
      override: ['payments-approvers'],
      approval: {
        to: 'production',
        quorum: 1,
        groups: ['payments-approvers'],
        approved: [],
        why: 'gate warned (82, needs 90)',
      },
    },
  ),
  soak: goldenChange(
    { state: 'running' },
    {
      step: 'soak',
      wait: { kind: 'soak', sentence: 'soaking for 45 min', since: ago(23), until: ago(-22) },
    },
  ),
  sync: goldenChange(
    { state: 'running' },
    {
      since: ago(2),
      heardAt: ago(1),
      wait: { kind: 'sync', sentence: 'wave 3 of 5: Job migrate', since: ago(1) },
    },
  ),
  health: goldenChange(
    { state: 'running' },
    {
      step: 'rollout',
      wait: {
        kind: 'health',
        sentence: 'health is Degraded: Deployment checkout: 1 of 3 pods not ready, ImagePullBackOff',
        since: ago(7),
      },
    },
  ),
  tests: goldenChange({ state: 'running' }, { step: 'test', since: ago(1), heardAt: ago(1) }),
  gate: goldenChange(
    { state: 'failed', score: 64 },
    {
      step: 'evaluation',
      since: ago(8),
      heardAt: ago(8),
      override: ['sre'],
      failed: {
        at: ago(8),
        reason: 'failed',
        task: 'evaluation',
        message: 'response_time_p95 is 612',
        indicator: { name: 'response_time_p95', value: 612, unit: 'ms', operator: '>', limit: 500 },
        score: { value: 64, pass: 90 },
        canRollBack: true,
      },
    },
  ),
  none: {
    ...CHANGE,
    state: 'passed',
    cells: CHANGE.cells.map((one) => ({ ...one, state: 'passed', version: '1.8.2' })),
    over: { how: 'done', stage: 'production', at: '2026-11-19T12:40:00.000Z' },
  },
};

/** The change that `goldenFacts.queue` is behind of. */
export const goldenAhead: ChangeFacts = { ...goldenFacts.approval, id: EARLIER, version: '1.8.1', title: 'Log less' };

/** Who may do everything in their stages, and nothing else. */
export function viewer(name: string, changes: Partial<Viewer> = {}): Viewer {
  return { name, groups: [], roles: ['viewer'], stages: [], ...changes };
}
