import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Repositories } from './repositories.ts';
import {
  type ApplicationObject,
  type HealthStatus,
  type OperationSpec,
  type OperationState,
  type SourceSpec,
  timestamp,
} from './resources.ts';

export interface SandboxApp {
  name: string;
  /** Default: the control plane's. */
  namespace?: string;
  /** AppProject; default `default`. */
  project?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** Path or URL of a Git repository. */
  repoUrl: string;
  path?: string;
  /** Branch to follow; default `main`. */
  targetRevision?: string;
  /** More sources make it a multi-source application. */
  moreSources?: { repoUrl: string; path?: string; targetRevision?: string }[];
  automated?: boolean;
  /** What the branch holds at the start is live already. */
  deployed?: boolean;
  externalUrl?: string;
  /** How long a rollout takes when no `deploy` does real work. Default 500. */
  healthDelayMs?: number;
}

/** Something that runs, and is asked from time to time whether it is well. */
export interface Rollout {
  healthy(): boolean | Promise<boolean>;
}

/** Brings a revision to life; a rejection fails the sync with its message. */
export type Deploy = (
  app: { name: string; namespace: string; labels: Readonly<Record<string, string>> },
  revision: string,
  manifests: Readonly<Record<string, string>>,
) => Promise<Rollout>;

export interface Timing {
  /** From the request until the operation is `Running`. */
  pickUpMs: number;
  /** From `Running` until it ended. */
  syncMs: number;
  /** From its end until sync status and health are computed anew: meanwhile they are stale. */
  reconcileMs: number;
  /** How long a new rollout goes unnoticed: its old health is still reported. */
  staleHealthMs: number;
  healthPollMs: number;
  /** Not well for longer than this is `Degraded`. */
  progressDeadlineMs: number;
  /** How often Git is looked at. */
  pollMs: number;
}

export const TIMING: Timing = {
  pickUpMs: 150,
  syncMs: 400,
  reconcileMs: 200,
  staleHealthMs: 0,
  healthPollMs: 250,
  progressDeadlineMs: 60_000,
  pollMs: 3_000,
};

export interface SyncWish {
  revision?: string;
  revisions?: string[];
  sourcePositions?: number[];
  prune?: boolean;
  dryRun?: boolean;
  infos?: { name: string; value: string }[];
  strategy?: { hook?: object; apply?: object };
  resources?: object[];
  syncOptions?: { items: string[] };
}

/** An accepted sync: what tests count. */
export interface AcceptedSync {
  at: string;
  namespace: string;
  name: string;
  revisions: string[];
  infos: Record<string, string>;
  dryRun: boolean;
  automated: boolean;
}

/** Refused, in gRPC's codes. */
export class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

interface AppState {
  app: SandboxApp;
  object: ApplicationObject;
  sources: SourceSpec[];
  /** Commits that the sources' targets point at. */
  target: string[];
  /** What is live: the trees that were applied. */
  liveTrees: string | undefined;
  attempted: string | undefined;
  rollout: { is: Rollout; since: number; before: HealthStatus } | undefined;
  forcedHealth: HealthStatus | undefined;
  windowClosed: boolean;
  nextHistoryId: number;
}

export type Change = { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: ApplicationObject };

/** Applications and what happens to them: comparison with Git, operations, health. */
export class Controller extends EventEmitter<{ change: [Change] }> {
  readonly syncs: AcceptedSync[] = [];
  readonly #apps = new Map<string, AppState>();
  readonly #repositories: Repositories;
  readonly #deploy: Deploy | undefined;
  readonly #timing: Timing;
  readonly #namespace: string;
  readonly #stop = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #resourceVersion = 1_000;

  constructor(options: { repositories: Repositories; deploy: Deploy | undefined; timing: Timing; namespace: string }) {
    super();
    this.setMaxListeners(0);
    this.#repositories = options.repositories;
    this.#deploy = options.deploy;
    this.#timing = options.timing;
    this.#namespace = options.namespace;
  }

  async start(apps: readonly SandboxApp[]): Promise<void> {
    for (const app of apps) await this.add(app);
    this.#timers.push(
      setInterval(() => void this.#pollGit(), this.#timing.pollMs),
      setInterval(() => void this.#assessAll(), this.#timing.healthPollMs),
    );
  }

  close(): void {
    this.#stop.abort();
    for (const timer of this.#timers) clearInterval(timer);
  }

  async add(app: SandboxApp): Promise<void> {
    const state = this.#newState(app);
    this.#apps.set(`${state.object.metadata.namespace}/${app.name}`, state);
    if (app.deployed === true) await this.#adoptWhatIsThere(state);
    await this.#compare(state);
    this.emit('change', { type: 'ADDED', object: state.object });
  }

  remove(name: string, namespace = this.#namespace): void {
    const state = this.#state(name, namespace);
    this.#apps.delete(`${namespace}/${name}`);
    this.#touch(state, 'DELETED');
  }

  objects(): ApplicationObject[] {
    return [...this.#apps.values()]
      .map(({ object }) => object)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  find(name: string, namespace = this.#namespace): ApplicationObject | undefined {
    return this.#apps.get(`${namespace}/${name}`)?.object;
  }

  /** A closed sync window refuses syncs by hand, too. */
  setWindow(name: string, closed: boolean, namespace = this.#namespace): void {
    this.#state(name, namespace).windowClosed = closed;
  }

  /** Reports this health whatever runs, until cleared with `undefined`. */
  async setHealth(name: string, health: HealthStatus | undefined, namespace = this.#namespace): Promise<void> {
    const state = this.#state(name, namespace);
    state.forcedHealth = health;
    await this.#assess(state);
  }

  setAutomated(name: string, automated: boolean, namespace = this.#namespace): void {
    const state = this.#state(name, namespace);
    state.object.spec.syncPolicy = { automated: { enabled: automated, prune: true } };
    this.#touch(state);
  }

  /** Looks at Git and computes sync status and health anew. */
  async refresh(name: string, namespace = this.#namespace): Promise<void> {
    await this.#compare(this.#state(name, namespace));
  }

  async requestSync(name: string, namespace: string, wish: SyncWish, username: string): Promise<ApplicationObject> {
    const state = this.#state(name, namespace);
    if (state.windowClosed) throw new Refusal(7, 'cannot sync: blocked by sync window');
    const revisions = await this.#resolveWish(state, wish);
    if (state.object.operation !== undefined) {
      throw new Refusal(9, 'error setting app operation: another operation is already in progress');
    }
    this.#begin(state, revisions, {
      sync: {
        ...(wish.prune === undefined ? {} : { prune: wish.prune }),
        ...(wish.dryRun === undefined ? {} : { dryRun: wish.dryRun }),
        ...(wish.resources === undefined ? {} : { resources: wish.resources }),
        ...(wish.syncOptions === undefined ? {} : { syncOptions: wish.syncOptions.items }),
        syncStrategy: wish.strategy ?? { hook: {} },
      },
      initiatedBy: { username },
      info: wish.infos ?? [],
      retry: {},
    });
    return state.object;
  }

  terminate(name: string, namespace: string): void {
    const state = this.#state(name, namespace);
    const running = state.object.status.operationState;
    if (state.object.operation === undefined || running === undefined) {
      throw new Refusal(3, 'Unable to terminate operation. No operation is in progress');
    }
    running.phase = 'Terminating';
    this.#touch(state);
  }

  async revisionMetadata(name: string, namespace: string, revision: string) {
    const { sources } = this.#state(name, namespace);
    if (!/^[0-9a-f]{7,40}$/.test(revision)) throw new Refusal(2, `revision ${revision} must be resolved`);
    const metadata = await this.#repositories.metadata(sources[0]?.repoURL ?? '', revision);
    if (metadata === undefined) throw new Refusal(2, `unable to resolve ${revision}: unknown revision`);
    return metadata;
  }

  #newState(app: SandboxApp): AppState {
    const sources = [app, ...(app.moreSources ?? [])].map((source) => ({
      repoURL: source.repoUrl,
      path: source.path ?? '.',
      targetRevision: source.targetRevision ?? 'main',
    }));
    return {
      app,
      sources,
      object: newObject(app, sources, this.#namespace),
      target: [],
      liveTrees: undefined,
      attempted: undefined,
      rollout: undefined,
      forcedHealth: undefined,
      windowClosed: false,
      nextHistoryId: 0,
    };
  }

  #state(name: string, namespace: string): AppState {
    const state = this.#apps.get(`${namespace}/${name}`);
    if (state === undefined) throw new Refusal(5, `applications.argoproj.io "${name}" not found`);
    return state;
  }

  #touch(state: AppState, type: Change['type'] = 'MODIFIED'): void {
    this.#resourceVersion += 1;
    state.object.metadata.resourceVersion = String(this.#resourceVersion);
    this.emit('change', { type, object: state.object });
  }

  async #adoptWhatIsThere(state: AppState): Promise<void> {
    const revisions = await this.#targets(state);
    if (revisions.includes('')) return;
    await this.#apply(state, revisions);
    this.#remember(state, revisions, timestamp(), { automated: false });
    state.object.status.health = { status: 'Healthy', lastTransitionTime: timestamp() };
  }

  async #pollGit(): Promise<void> {
    for (const state of this.#apps.values()) await this.#compare(state);
  }

  async #targets({ sources }: AppState): Promise<string[]> {
    return Promise.all(
      sources.map(
        async ({ repoURL, targetRevision }) => (await this.#repositories.resolve(repoURL, targetRevision)) ?? '',
      ),
    );
  }

  async #trees({ sources }: AppState, revisions: readonly string[]): Promise<string | undefined> {
    const trees = await Promise.all(
      sources.map(({ repoURL, path }, at) => this.#repositories.treeOf(repoURL, revisions[at] ?? '', path)),
    );
    return trees.includes(undefined) ? undefined : trees.join(',');
  }

  async #compare(state: AppState): Promise<void> {
    const targets = await this.#targets(state);
    const trees = targets.includes('') ? undefined : await this.#trees(state, targets);
    if (this.#stop.signal.aborted) return;
    state.target = targets;
    const { status } = state.object;
    const before = JSON.stringify([status.sync, status.conditions]);
    const syncStatus = trees === undefined ? 'Unknown' : trees === state.liveTrees ? 'Synced' : 'OutOfSync';
    status.sync = { status: syncStatus, ...named(state, targets), comparedTo: comparedTo(state) };
    setCondition(
      status,
      'ComparisonError',
      trees === undefined ? `unable to resolve ${state.app.targetRevision ?? 'main'}` : undefined,
    );
    const stale = Date.now() - Date.parse(status.reconciledAt ?? '1970-01-01T00:00:00Z') > 30_000;
    const changed = before !== JSON.stringify([status.sync, status.conditions]);
    status.reconciledAt = timestamp();
    await this.#assess(state);
    if (changed || stale) this.#touch(state);
    this.#syncByItself(state);
  }

  /** Once per revision: a failed attempt is not repeated, a condition says so. */
  #syncByItself(state: AppState): void {
    const { object, target } = state;
    const automated = object.spec.syncPolicy?.automated;
    if (automated === undefined || automated.enabled === false || object.operation !== undefined) return;
    if (object.status.sync.status !== 'OutOfSync') return;
    const wanted = target.join(',');
    if (state.attempted === wanted) return;
    state.attempted = wanted;
    this.#begin(state, target, { sync: { prune: true }, initiatedBy: { automated: true }, retry: { limit: 5 } });
  }

  async #resolveWish(state: AppState, wish: SyncWish): Promise<string[]> {
    const automated = state.object.spec.syncPolicy?.automated;
    const autoSync = automated !== undefined && automated.enabled !== false && wish.dryRun !== true;
    const wanted = wantedRevisions(state, wish);
    for (const [at, { targetRevision }] of state.sources.entries()) {
      if (autoSync && wanted[at] !== '' && wanted[at] !== targetRevision) {
        throw new Refusal(9, `Cannot sync to ${wanted[at]}: auto-sync currently set to ${targetRevision}`);
      }
    }
    return Promise.all(state.sources.map((source, at) => this.#resolveOne(source, wanted[at] ?? '')));
  }

  async #resolveOne({ repoURL, targetRevision }: SourceSpec, wanted: string): Promise<string> {
    // A full SHA is taken as it is; whether it exists shows when its manifests are wanted.
    if (/^[0-9a-f]{40}$/.test(wanted)) return wanted;
    const sha = await this.#repositories.resolve(repoURL, wanted === '' ? targetRevision : wanted);
    if (sha === undefined) throw new Refusal(9, `Unable to resolve '${wanted || targetRevision}' to a commit SHA`);
    return sha;
  }

  #begin(state: AppState, revisions: readonly string[], operation: OperationSpec): void {
    const several = state.sources.length > 1;
    const sync = {
      ...operation.sync,
      ...named(state, revisions),
      ...(several ? { sources: state.sources } : { source: state.sources[0] as SourceSpec }),
    };
    const full = { ...operation, sync };
    state.object.operation = full;
    delete state.object.status.operationState;
    this.syncs.push({
      at: new Date().toISOString(),
      namespace: state.object.metadata.namespace,
      name: state.app.name,
      revisions: [...revisions],
      infos: Object.fromEntries((operation.info ?? []).map(({ name, value }) => [name, value])),
      dryRun: operation.sync.dryRun === true,
      automated: operation.initiatedBy.automated === true,
    });
    this.#touch(state);
    this.#operate(state, full, revisions).catch(() => undefined);
  }

  async #operate(state: AppState, operation: OperationSpec, revisions: readonly string[]): Promise<void> {
    await sleep(this.#timing.pickUpMs, undefined, { signal: this.#stop.signal });
    const run: OperationState = { operation, phase: 'Running', message: 'waiting to start', startedAt: timestamp() };
    state.object.status.operationState = run;
    this.#touch(state);
    const trees = await this.#trees(state, revisions);
    run.syncResult = { revision: '', ...named(state, revisions) };
    if (trees === undefined) return this.#end(state, run, 'Error', `ComparisonError: unknown revision or path`);
    this.#touch(state);
    await sleep(this.#timing.syncMs, undefined, { signal: this.#stop.signal });
    if (isTerminating(run)) return this.#end(state, run, 'Failed', 'Operation terminated');
    const problem = operation.sync.dryRun === true ? undefined : await this.#tryToApply(state, revisions);
    if (problem !== undefined) return this.#end(state, run, 'Failed', problem);
    if (operation.sync.dryRun !== true && operation.sync.resources === undefined) {
      this.#remember(state, revisions, run.startedAt, operation.initiatedBy);
    }
    return this.#end(state, run, 'Succeeded', 'successfully synced (all tasks run)');
  }

  async #tryToApply(state: AppState, revisions: readonly string[]): Promise<string | undefined> {
    try {
      await this.#apply(state, revisions);
      return undefined;
    } catch (error) {
      return `one or more synchronization tasks completed unsuccessfully: ${(error as Error).message}`;
    }
  }

  async #apply(state: AppState, revisions: readonly string[]): Promise<void> {
    const [source] = state.sources;
    const revision = revisions[0] ?? '';
    const manifests = await this.#repositories.files(source?.repoURL ?? '', revision, source?.path ?? '');
    const is = await this.#rollOut(state, revision, manifests);
    state.liveTrees = await this.#trees(state, revisions);
    state.rollout = { is, since: Date.now(), before: state.object.status.health.status };
    const images = Object.values(manifests).flatMap((text) =>
      [...text.matchAll(/^\s*(?:- )?image:\s*["']?([^\s"']+)/gm)].map(([, image]) => image ?? ''),
    );
    state.object.status.summary = {
      ...(images.length === 0 ? {} : { images: [...new Set(images)] }),
      ...(state.app.externalUrl === undefined ? {} : { externalURLs: [state.app.externalUrl] }),
    };
  }

  async #rollOut(state: AppState, revision: string, manifests: Record<string, string>): Promise<Rollout> {
    const { name, namespace, labels } = state.object.metadata;
    if (this.#deploy !== undefined) return this.#deploy({ name, namespace, labels }, revision, manifests);
    const readyAt = Date.now() + (state.app.healthDelayMs ?? 500);
    return { healthy: () => Date.now() >= readyAt };
  }

  #remember(
    state: AppState,
    revisions: readonly string[],
    startedAt: string,
    by: { username?: string; automated?: boolean },
  ) {
    const several = state.sources.length > 1;
    state.object.status.history.push({
      id: state.nextHistoryId,
      ...named(state, revisions),
      ...(several ? { sources: state.sources } : { source: state.sources[0] as SourceSpec }),
      deployStartedAt: startedAt,
      deployedAt: timestamp(),
      initiatedBy: by,
    });
    state.nextHistoryId += 1;
    state.object.status.history.splice(0, state.object.status.history.length - 10);
  }

  async #end(state: AppState, run: OperationState, phase: OperationState['phase'], message: string): Promise<void> {
    Object.assign(run, { phase, message, finishedAt: timestamp() });
    delete state.object.operation;
    const failed = phase !== 'Succeeded' && run.operation.initiatedBy.automated === true;
    setCondition(state.object.status, 'SyncError', failed ? `Failed last sync attempt: ${message}` : undefined);
    this.#touch(state);
    await sleep(this.#timing.reconcileMs, undefined, { signal: this.#stop.signal });
    await this.#compare(state);
  }

  async #assessAll(): Promise<void> {
    for (const state of this.#apps.values()) await this.#assess(state);
  }

  async #assess(state: AppState): Promise<void> {
    const { status } = state.object;
    // Between the end of an operation and the next comparison nobody looks: health is the old one.
    const run = status.operationState;
    if (run?.finishedAt !== undefined && (status.reconciledAt ?? '') < run.finishedAt) return;
    const health = state.forcedHealth ?? (await this.#healthOf(state));
    if (health === status.health.status) return;
    status.health = { status: health, lastTransitionTime: timestamp() };
    this.#touch(state);
  }

  async #healthOf({ rollout, object }: AppState): Promise<HealthStatus> {
    if (rollout === undefined) return object.status.history.length === 0 ? 'Missing' : object.status.health.status;
    const age = Date.now() - rollout.since;
    if (age < this.#timing.staleHealthMs) return rollout.before;
    if (await rollout.is.healthy()) return 'Healthy';
    return age > this.#timing.progressDeadlineMs ? 'Degraded' : 'Progressing';
  }
}

function newObject(app: SandboxApp, sources: readonly SourceSpec[], controlPlane: string): ApplicationObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name: app.name,
      namespace: app.namespace ?? controlPlane,
      uid: randomUUID(),
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: timestamp(),
      labels: app.labels ?? {},
      annotations: app.annotations ?? {},
    },
    spec: {
      project: app.project ?? 'default',
      ...(sources.length > 1 ? { sources: [...sources] } : { source: sources[0] as SourceSpec }),
      destination: { server: 'https://kubernetes.default.svc', namespace: app.name },
      ...(app.automated === true ? { syncPolicy: { automated: { prune: true, selfHeal: false } } } : {}),
    },
    status: {
      sync: { status: 'Unknown', comparedTo: {} },
      health: { status: 'Missing', lastTransitionTime: timestamp() },
      history: [],
      sourceType: 'Directory',
      summary: {},
      resourceHealthSource: 'appTree',
      controllerNamespace: controlPlane,
    },
  };
}

function named({ sources }: AppState, revisions: readonly string[]): { revision?: string; revisions?: string[] } {
  return sources.length > 1 ? { revisions: [...revisions] } : { revision: revisions[0] ?? '' };
}

/** One source reads `revision`, several read `revisions` at `sourcePositions` (from 1); the rest is ignored. */
function wantedRevisions({ sources }: AppState, wish: SyncWish): string[] {
  if (sources.length === 1) return [wish.revision ?? ''];
  const wanted = sources.map(() => '');
  for (const [at, position] of (wish.sourcePositions ?? []).entries()) {
    if (position < 1 || position > sources.length) throw new Refusal(2, 'source position is out of range');
    wanted[position - 1] = wish.revisions?.[at] ?? '';
  }
  return wanted;
}

function comparedTo({ sources, object }: AppState): object {
  const { destination } = object.spec;
  return sources.length > 1 ? { sources, destination } : { source: sources[0], destination };
}

/** The phase is changed from outside while the operation sleeps. */
function isTerminating(run: { phase: string }): boolean {
  return run.phase === 'Terminating';
}

function setCondition(status: ApplicationObject['status'], type: string, message: string | undefined): void {
  const others = (status.conditions ?? []).filter((condition) => condition.type !== type);
  const known = status.conditions?.find((condition) => condition.type === type);
  const lastTransitionTime = known?.message === message ? known?.lastTransitionTime : timestamp();
  const all =
    message === undefined
      ? others
      : [...others, { type, message, lastTransitionTime: lastTransitionTime ?? timestamp() }];
  if (all.length === 0) delete status.conditions;
  else status.conditions = all;
}
