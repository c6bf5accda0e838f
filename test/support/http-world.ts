import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePort } from '../../examples/sandbox/free-port.ts';
import { kubeconfigText } from '../../examples/sandbox/kubernetes/flux.ts';
import { type App, type AppOptions, startApp } from '../../src/app.ts';
import type { Clock } from '../../src/base/clock.ts';
import { parseEnvironment } from '../../src/config/environment.ts';
import { noSequence } from '../../src/engine/sequence.ts';
import type { SequenceEvent, SequenceTriggered } from '../../src/events/types.ts';
import { currentRecord } from '../../src/runtime/project-change.ts';
import { sequenceCommit } from '../../src/runtime/sequences.ts';
import { openStore } from '../../src/store/open.ts';
import type { Document, Store } from '../../src/store/store.ts';
import type { ChangeView } from '../../src/views/change.ts';
import { expectDocumented } from './openapi.ts';

/** Who may do what in an HTTP test; `nobody` sends no token. */
export const TOKENS = {
  ARGOCD_TOKEN: 'token-for-argocd-3f5d1c2b7a98',
  WEBHOOK_OLD: 'token-of-webhook-old-4e2a6b',
  WEBHOOK_NEW: 'token-of-webhook-new-7c9d0f',
  FLUX_WEBHOOK: 'token-of-webhook-of-flux-8d0e1a',
  READER: 'token-of-reader-1a2b3c4d5e6f',
  REPORTER: 'token-of-reporter-2b3c4d5e6f',
  QUERIER: 'token-of-querier-5e6f7a8b9c',
  APPROVER: 'token-of-approver-3c4d5e6f7a',
  OUTSIDER: 'token-of-outsider-4d5e6f7a8b',
} as const;

export interface HttpWorldOptions {
  /** Base URL of an Argo CD; without one nothing answers where it should be. */
  argocdUrl?: string;
  /** Also a cluster with Flux, `eu`: its kubeconfig file, or one that leads nowhere. */
  flux?: { kubeconfig: string } | 'unreachable';
  /** More lines of lynceus.yaml. */
  connections?: string;
  env?: Record<string, string>;
  /** Histories of sequences that are in the store before the service starts; no work is queued for them. */
  sequences?: readonly (readonly SequenceEvent[])[];
  /** Rows of the read models that are there before the service starts. */
  documents?: readonly Document[];
  /** Whatever else is in the store before. */
  fill?(store: Store): Promise<void>;
  clock?: Clock;
  failpoint?: AppOptions['failpoint'];
  diagnoseAfterMs?: number;
}

export interface LogLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** The real service in this process, with a real store and a log that is kept. */
export interface HttpWorld {
  app: App;
  url: string;
  dataDir: string;
  log: LogLine[];
  logText(): string;
  /** Every answer is held to the API's document. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, body: RequestInit['body'], headers?: Record<string, string>): Promise<Response>;
  decide(id: string, body: object, headers?: Record<string, string>): Promise<Response>;
  change(id: string): Promise<ChangeView>;
  /** How many events the log holds. */
  events(): Promise<number>;
  /** Ends the service, and fails when it logged an error that nobody said to expect. */
  stop(expectedErrors?: readonly string[]): Promise<void>;
}

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

export async function startHttpWorld(options: HttpWorldOptions = {}): Promise<HttpWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-http-'));
  const dataDir = join(folder, 'data');
  const configFile = join(folder, 'lynceus.yaml');
  const argocdUrl = options.argocdUrl ?? `http://127.0.0.1:${await freePort()}`;
  writeFileSync(configFile, connections(argocdUrl, kubeconfigOf(options.flux, folder), options.connections));
  const env = {
    ...TOKENS,
    LYNCEUS_CONFIG: configFile,
    LYNCEUS_DATA_DIR: dataDir,
    LYNCEUS_LISTEN: '127.0.0.1:0',
    LYNCEUS_ALLOW_LOOPBACK: 'true',
    ...options.env,
  };
  const environment = parseEnvironment(env, () => '');
  if (!environment.ok) throw new Error(environment.problems.join('\n'));
  if (options.sequences || options.documents || options.fill)
    await seed(dataDir, options.sequences ?? [], options.documents ?? [], options.fill);
  const lines: string[] = [];
  const app = await startApp({
    environment: environment.value,
    sources: { env, readFile: () => '' },
    logStream: { write: (line) => void lines.push(line) },
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.failpoint ? { failpoint: options.failpoint } : {}),
    ...(options.diagnoseAfterMs === undefined ? {} : { diagnoseAfterMs: options.diagnoseAfterMs }),
  });
  const url = app.address;
  const log = () => lines.map((line) => JSON.parse(line) as LogLine);
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(url + path, { redirect: 'manual', ...init });
    await expectDocumented(init.method ?? 'GET', path, answer);
    return answer;
  };
  const get = (path: string, headers = {}) => ask(path, { headers });
  return {
    app,
    url,
    dataDir,
    get log() {
      return log();
    },
    logText: () => lines.join(''),
    fetch: ask,
    get,
    post: (path, body, headers = {}) => ask(path, { method: 'POST', body: body ?? null, headers }),
    decide: (id, body, headers = bearer(TOKENS.APPROVER)) =>
      ask(`/api/v1/changes/${id}/decisions`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    change: async (id) => (await (await get(`/api/v1/changes/${id}`)).json()) as ChangeView,
    async events() {
      const answer = await get('/api/v1/events?limit=1000', bearer(TOKENS.READER));
      return ((await answer.json()) as { events: unknown[] }).events.length;
    },
    async stop(expectedErrors = []) {
      await app.stop();
      rmSync(folder, { recursive: true, force: true });
      const unexpected = log().filter(({ level, msg }) => level === 'error' && !expectedErrors.includes(msg));
      expect(unexpected).toEqual([]);
    },
  };
}

function kubeconfigOf(flux: HttpWorldOptions['flux'], folder: string): string | undefined {
  if (flux !== 'unreachable') return flux?.kubeconfig;
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, kubeconfigText('http://127.0.0.1:1', 'token-of-nobody-9e1f2a3b'));
  return file;
}

function connections(argocdUrl: string, kubeconfig: string | undefined, more = ''): string {
  const flux = `
  - name: eu
    kind: flux
    kubeconfig: {file: ${kubeconfig}, context: sandbox}
    timeout: 2s
    webhookTokens: [{env: FLUX_WEBHOOK}]`;
  return `apiVersion: lynceus.dev/v1
kind: Connections
deliverySystems:
  - name: main
    kind: argocd
    url: ${argocdUrl}
    token: {env: ARGOCD_TOKEN}
    timeout: 2s
    webhookTokens: [{env: WEBHOOK_OLD}, {env: WEBHOOK_NEW}]${kubeconfig === undefined ? '' : flux}
tokens:
  - {name: reader, token: {env: READER}, may: [read]}
  - {name: reporter, token: {env: REPORTER}, may: [report]}
  - {name: querier, token: {env: QUERIER}, may: [report, query]}
  - {name: approver, token: {env: APPROVER}, may: [read, decide], groups: [payments]}
  - {name: outsider, token: {env: OUTSIDER}, may: [read, decide], groups: [marketing]}
${more}`;
}

/** Writes histories as the runtime would, without the jobs: states stay as they are until somebody moves them. */
async function seed(
  dataDir: string,
  histories: readonly (readonly SequenceEvent[])[],
  documents: readonly Document[],
  fill?: HttpWorldOptions['fill'],
): Promise<void> {
  const store = await openStore({ dataDir });
  for (const history of histories) {
    const { commit } = sequenceCommit({ state: noSequence, version: 0 }, history);
    await store.commit({ appends: commit.appends, documents: commit.documents });
  }
  await store.commit({ documents });
  const contexts = new Set(
    histories.flat().flatMap((event) => (event.name === 'sequence.triggered' ? [event.data.context] : [])),
  );
  for (const context of contexts) {
    const record = await currentRecord({ store, stops: async () => [] }, context);
    await store.commit({ changes: record ? [record] : [] });
  }
  await fill?.(store);
  await store.close();
}

/**
 * A history of test/support/sequence.ts as one of several: under its own sequence, in its own change and of its
 * own service (changes of one service supersede each other), and with what else is different.
 */
export function story(
  id: string,
  history: readonly SequenceEvent[],
  changes: Partial<SequenceTriggered> & { at?: string } = {},
): SequenceEvent[] {
  const { at, ...data } = changes;
  const renamed = JSON.parse(JSON.stringify(history).replaceAll(/"seq(?=[".])/g, `"${id}`)) as SequenceEvent[];
  return renamed.map((event) =>
    event.name === 'sequence.triggered'
      ? {
          ...event,
          at: at ?? event.at,
          data: { ...event.data, context: `ctx-${id}`, place: { ...event.data.place, service: id }, ...data },
        }
      : event,
  );
}

/** Nothing in these tests runs into its time limit. */
export const YEARS = 100 * 365 * 86_400_000;

/** A notification as the templates send it. */
export function notification(name: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    schema: 'argocd.v1',
    trigger: 'on-deployed',
    app: {
      metadata: { name, namespace: 'argocd', uid: `uid-of-${name}` },
      status: { health: { status: 'Healthy' }, sync: { status: 'Synced', revision: 'a'.repeat(40) } },
    },
    ...change,
  };
}

/** An event as Flux sends it now: of the Kustomization `shop/NAME`, in the cluster `eu`. */
export function fluxEvent(name: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    involvedObject: { kind: 'Kustomization', namespace: 'shop', name, uid: `uid-of-${name}` },
    severity: 'info',
    timestamp: new Date().toISOString(),
    message: 'Reconciliation finished in 449ms, next run in 10m0s',
    reason: 'ReconciliationSucceeded',
    reportingController: 'kustomize-controller',
    ...change,
  };
}

/** What every refusal looks like. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  instance?: string;
}

/** Reads a refusal and checks its shape (RFC 9457), and that it tells nothing about our insides. */
export async function problemOf(answer: Response): Promise<Problem> {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const text = await answer.text();
  const problem = JSON.parse(text) as Problem;
  expect(problem).toMatchObject({
    type: `urn:lynceus:problem:${problem.code}`,
    status: answer.status,
    title: expect.stringMatching(/./),
    detail: expect.stringMatching(/./),
  });
  expect(text).not.toMatch(/node_modules|\.ts:\d|at \w+ \(|\/tmp\/|SQLITE|ECONN/);
  for (const token of Object.values(TOKENS)) expect(text).not.toContain(token);
  return problem;
}
