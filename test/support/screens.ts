import { hash } from '../../bench/support/ui-world.ts';
import type { Store } from '../../src/store/store.ts';
import { GOLDEN_NOW } from './change-rows.ts';
import type { HttpWorld } from './http-world.ts';
import { failedGate, PLAIN, promoted, reviewing, type Words, waitingForApproval } from './journeys.ts';
import { goldenChanges, LIN, startPageWorld } from './page-world.ts';

/** Histories for the screen of one change. */
export const journeys = (words: Words = PLAIN) => [
  ...waitingForApproval('billing', words),
  ...failedGate('basket', words),
  ...promoted('search', words),
  ...reviewing('payments', words),
];

/** Every screen in every state that looks different. */
export const SCREENS: readonly string[] = [
  '/changes',
  '/changes?state=waiting&stage=production',
  '/changes?q=nothing-of-that-name',
  '/changes/ctx-billing',
  '/changes/ctx-basket',
  '/changes/ctx-search',
  '/changes/ctx-payments',
  '/changes/nobody',
  '/fleet',
  '/fleet?by=cluster&group=project',
  '/evaluations',
  '/evaluations/search/staging?project=shop',
  '/evaluations/search/staging?project=shop&view=line',
  '/evaluations/nobody/nowhere',
  '/forecast',
  '/forecast?project=shop&service=checkout&stage=production',
  '/connections',
  '/connections/deliverySystems.main',
  '/connections/pipelines',
  '/sign-in',
  '/nowhere',
];

/** The real service with something on every screen. */
export function startScreens(words: Words = PLAIN): Promise<HttpWorld> {
  return startPageWorld(goldenChanges, { sequences: journeys(words), fill: fillFleet });
}

/** Somebody whom every screen offers everything. */
export const signedIn = { Authorization: `Bearer ${LIN}` };

/** One service in three places, in three states. */
async function fillFleet(store: Store): Promise<void> {
  const seen = ['dev', 'staging', 'production'].map((stage, at) => ({
    kind: 'application',
    id: `main/argocd/search-${stage}`,
    version: 1,
    ...{ project: 'shop', stage, service: 'search', context: 'shop/search', status: 'seen' },
    sort: Date.parse(GOLDEN_NOW),
    data: {
      ref: { system: 'main', namespace: 'argocd', name: `search-${stage}`, uid: hash(stage), systemProject: 'shop' },
      targetRevision: 'main',
      fingerprint: 'f',
      runs: {
        images: [`ghcr.io/acme/search:1.${9 - at}.0`],
        health: ['Healthy', 'Degraded', 'Unknown'][at] ?? 'Healthy',
        sync: 'Synced',
        cluster: stage,
        since: GOLDEN_NOW,
      },
    },
  }));
  const jobs = [{ queue: 'fleet', key: 'shop/search', payload: { project: 'shop', stage: 'dev', service: 'search' } }];
  await store.commit({ documents: seen, jobs });
}
