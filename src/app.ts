import { mkdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Router } from 'express';
import type { AdapterTools } from './adapters/adapter-kind.ts';
import type { GitHost, Repository } from './adapters/git-hosts/git-host.ts';
import { findGitHost } from './adapters/git-hosts/registry.ts';
import { findRegistry } from './adapters/registries/registry.ts';
import { createHttpTestRunner } from './adapters/test-runners/http.ts';
import { AdapterError } from './base/adapter-error.ts';
import { type Clock, systemClock } from './base/clock.ts';
import { type Connections, parseConnections, type SecretSources } from './config/connections.ts';
import type { Environment } from './config/environment.ts';
import { sayProblem } from './definitions/problem.ts';
import { type Route, routesOf } from './http/access.ts';
import { badgeRoutes } from './http/badge.ts';
import { createChanges } from './http/changes.ts';
import { changesRoutes } from './http/changes-api.ts';
import { compressed } from './http/compressed.ts';
import { connectionsRoutes } from './http/connections.ts';
import { evaluationRoutes } from './http/evaluations.ts';
import { eventLogRoutes } from './http/event-log.ts';
import { findRoutes } from './http/find.ts';
import { gateRoutes } from './http/gates/routes.ts';
import { rowDrawer } from './http/live/draw-row.ts';
import { readListQuery } from './http/live/list-query.ts';
import { livePages } from './http/live/pages.ts';
import { liveRoutes } from './http/live/routes.ts';
import { openApiRoutes } from './http/openapi.ts';
import { operationsRoutes } from './http/operations.ts';
import { assetRoutes } from './http/pages/assets.ts';
import { changePageRoutes } from './http/pages/change.ts';
import { changesPageRoutes } from './http/pages/changes.ts';
import { connectionPageRoutes } from './http/pages/connections.ts';
import { evaluationPageRoutes } from './http/pages/evaluations.ts';
import { fleetRoutes } from './http/pages/fleet.ts';
import { forecastRoutes } from './http/pages/forecast.ts';
import { createFrameOf } from './http/pages/frame.ts';
import { themeRoutes } from './http/pages/theme.ts';
import { rebuildRoutes } from './http/rebuild.ts';
import { receiveRoutes } from './http/receive.ts';
import { jobsInLog } from './http/received-event.ts';
import { movedRoutes } from './http/reports/moved.ts';
import { reportRoutes } from './http/reports/routes.ts';
import { riskRoutes } from './http/risk.ts';
import { argocdSender } from './http/senders/argocd.ts';
import { fluxSender } from './http/senders/flux.ts';
import { gitSenders } from './http/senders/git-senders.ts';
import { createHttpApp, createHttpServer } from './http/server.ts';
import { createDoors } from './http/sign-in/doors.ts';
import { stopTheLineRoutes } from './http/stop-the-line.ts';
import { advanceLine } from './runtime/advance-line.ts';
import { createChangeBoard } from './runtime/change-board.ts';
import { createConnectionProblems } from './runtime/connection-problems.ts';
import { diagnoseConnection, diagnoseJobs, readConnections as readConnectionsView } from './runtime/connections.ts';
import { withEmission } from './runtime/emission-check.ts';
import { cdEventWords, emitEvents, emitJobs } from './runtime/emit.ts';
import { createEvaluations } from './runtime/evaluations.ts';
import { type Failpoint, noFailpoints } from './runtime/failpoint.ts';
import { offerFirstRun } from './runtime/first-run.ts';
import { createFleetRefresher } from './runtime/fleet.ts';
import { createFleetBoard } from './runtime/fleet-board.ts';
import { readForecast } from './runtime/forecast-view.ts';
import { createForecasts } from './runtime/forecasts.ts';
import { createForesight } from './runtime/foresee.ts';
import { workOnGitWebhook } from './runtime/git-heard.ts';
import { createWebhookEar } from './runtime/git-webhooks.ts';
import { createHistory } from './runtime/history.ts';
import { createDryCommitFinder } from './runtime/hydrated-commit.ts';
import { workOnJourney } from './runtime/journey.ts';
import { keepForecasts, keepForecastsJob } from './runtime/keep-forecasts.ts';
import { createLive } from './runtime/live.ts';
import { createLiveSource } from './runtime/live-source.ts';
import { createLog } from './runtime/log.ts';
import { createMetrics, receivedSoFar } from './runtime/metrics.ts';
import { observeApplication } from './runtime/observe-application.ts';
import { createProgressBoard } from './runtime/progress.ts';
import { currentRecord, projectChange } from './runtime/project-change.ts';
import { createPromotionFinder } from './runtime/promotions.ts';
import { askForRowsOfThisForm, rebuildStep } from './runtime/rebuild.ts';
import { workOnEvent } from './runtime/receive-event.ts';
import { askForReconciliation, reconcile } from './runtime/reconcile.ts';
import { redeliverMissed, redeliveryJobs } from './runtime/redeliver.ts';
import { refreshApplications } from './runtime/refresh-applications.ts';
import { createReportsOf } from './runtime/reports.ts';
import { createRiskModels, type RiskModels, refreshRiskModel } from './runtime/risk-model.ts';
import { createRollbackFinder } from './runtime/rollbacks.ts';
import { runEvaluation } from './runtime/run-evaluation.ts';
import { runTask } from './runtime/run-task.ts';
import { purgeCredentials, purgeJob } from './runtime/sessions.ts';
import { stepsAhead } from './runtime/steps-ahead.ts';
import { createStepsOf } from './runtime/steps-of.ts';
import { createStopTheLine } from './runtime/stop-the-line.ts';
import { createSyncingCommitFinder } from './runtime/syncing-commit.ts';
import { noteTestEvent } from './runtime/test-events.ts';
import { createUnseenCommitFinder } from './runtime/unseen-commit.ts';
import { createUntouchedFinder } from './runtime/untouched.ts';
import { watchApplications } from './runtime/watch.ts';
import { runWorker } from './runtime/worker.ts';
import { openStore } from './store/open.ts';
import type { ClaimedJob, Store } from './store/store.ts';
import { taskHandlers } from './tasks/registry.ts';
import type { TaskTools } from './tasks/task.ts';

export interface AppOptions {
  environment: Environment;
  sources: SecretSources;
  clock?: Clock;
  failpoint?: Failpoint;
  /** Where log lines go; standard error when absent. */
  logStream?: { write(line: string): void };
  /** How often the queue is looked at when nobody calls, in milliseconds. */
  pollMs?: number;
  /** When the connections are looked at for the first time, in milliseconds after the start. */
  diagnoseAfterMs?: number;
}

export interface App {
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  address: string;
  /** Every route with who may use it. */
  routes: readonly Route[];
  /** Stops taking work, finishes what is nearly done, closes. Within 10 s. */
  stop(): Promise<void>;
}

/** A configuration that cannot work, in the words that the operator needs. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

const POLL_MS = 500;
/** What is under way comes first after a start. */
const DIAGNOSE_AFTER_MS = 15_000;
/** How long open connections may take to end when the process stops. */
const CLOSE_MS = 2_000;

/** Puts the parts together and starts them. The only file that knows every part. */
export async function startApp(options: AppOptions): Promise<App> {
  const { environment, clock = systemClock, failpoint = noFailpoints } = options;
  mkdirSync(environment.dataDir, { recursive: true });
  const connections = readConnections(environment, options.sources);
  if (connections.signIn && environment.publicUrl === undefined)
    throw new ConfigurationError('signIn needs LYNCEUS_PUBLIC_URL: the provider sends browsers back there');
  const log = createLog({
    level: environment.logLevel,
    secrets: [...connections.secrets, ...(environment.databaseUrl ? [environment.databaseUrl.reveal()] : [])],
    ...(options.logStream ? { stream: options.logStream } : {}),
  });
  const store = await openStore({
    dataDir: environment.dataDir,
    logger: log,
    clock,
    ...(environment.databaseUrl ? { databaseUrl: environment.databaseUrl } : {}),
  });
  const stopping = new AbortController();
  try {
    const metrics = createMetrics(store);
    const progress = createProgressBoard();
    const riskModels = createRiskModels(store, clock);
    const forecasts = createForecasts({ store, clock, ...connections.forecast });
    const { gitHosts } = connections;
    const line = createStopTheLine(store, clock);
    const tools = taskTools(environment, connections, store, riskModels, clock);
    tools.stops = line.stops;
    const room = {
      ...{ store, clock, failpoint, metrics, log, progress, tools, gitHosts },
      deliverySystem: tools.deliverySystem,
    };
    const handlers = new Map(taskHandlers.map((handler) => [handler.name as string, handler]));
    const evaluations = createEvaluations({ store, clock });
    const findPromotion = createPromotionFinder(store, tools.gitHost);
    const findRollback = createRollbackFinder(store, tools.gitHost);
    const findDryCommit = createDryCommitFinder(tools.gitHost);
    const findUntouched = createUntouchedFinder(tools.gitHost);
    await askForReconciliation(
      store,
      connections.deliverySystems.map(({ system }) => system.name),
      environment.reconcileMs,
    );
    const checks = withEmission(connections.checks, { store, clock, eventSinks: connections.eventSinks });
    const diagnoseAfterMs = options.diagnoseAfterMs ?? DIAGNOSE_AFTER_MS;
    const looksForMissed = redeliveryJobs(
      gitHosts,
      ({ name }) => (connections.gitWebhookTokens.get(name)?.length ?? 0) > 0,
      diagnoseAfterMs,
    );
    await store.commit({
      jobs: [
        ...diagnoseJobs(checks, diagnoseAfterMs),
        ...looksForMissed,
        ...emitJobs(connections.eventSinks),
        purgeJob,
        keepForecastsJob,
      ],
    });
    await askForRowsOfThisForm(store, clock.now());
    const words = cdEventWords(environment.publicUrl, tools.linkTo);
    const logged = new Set<string>();
    const reportsOf = createReportsOf(store);
    const rows = { store, stops: line.stops, reportsOf };
    const worker = runWorker(
      {
        store,
        log,
        metrics,
        concurrency: environment.concurrency,
        leaseMs: environment.leaseMs,
        pollMs: options.pollMs ?? POLL_MS,
        stillWanted: (job) => isStillWanted(store, job),
        handlers: {
          line: (job) => advanceLine(room, job),
          'risk-model': (job) => refreshRiskModel(room, job),
          forecast: (job) => keepForecasts({ store, clock, forecasts }, job),
          task: (job, lease) => runTask({ ...room, handlers }, job, lease),
          observe: (job, lease) =>
            observeApplication({ ...room, findPromotion, findRollback, findDryCommit, findUntouched }, job, lease),
          evaluate: (job, lease) => runEvaluation(room, job, lease),
          refresh: (job, lease) => refreshApplications(room, job, lease),
          git: (job) => workOnGitWebhook(room, job),
          redeliver: (job, lease) => redeliverMissed(room, job, lease),
          purge: (job) => purgeCredentials({ store, clock }, job),
          received: (job) => workOnEvent({ store, evaluations, log }, job),
          journey: (job, lease) => workOnJourney(room, job, lease),
          emit: (job, lease) =>
            emitEvents({ store, clock, log, eventSinks: connections.eventSinks, words }, job, lease),
          diagnose: (job, lease) => diagnoseConnection({ ...room, checks, logged }, job, lease),
          change: (job) => projectChange(rows, job),
          rebuild: (job) => rebuildStep({ store, received: jobsInLog }, job),
          fleet: createFleetRefresher({ store, clock }),
          tested: (job) => noteTestEvent({ store, clock }, job),
          reconcile: (job, lease) => reconcile({ ...room, everyMs: environment.reconcileMs }, job, lease),
        },
      },
      stopping.signal,
    );
    const watched = connections.deliverySystems.filter(({ watch }) => watch).map(({ system }) => system);
    const watching = watchApplications({ store, log }, watched, stopping.signal);
    const doors = createDoors({
      ...{ credentials: store.credentials, clock, log, tokens: connections.tokens, signIn: connections.signIn },
      anonymousRead: environment.anonymousRead,
      publicUrl: environment.publicUrl,
      trustedProxies: environment.trustedProxies,
    });
    const { authentication } = doors;
    const frameOf = createFrameOf({ clock, authentication });
    const fleet = createFleetBoard({ store, clock });
    const changes = createChanges({
      ...{ store, clock, progress },
      revOf: async (id) => (await currentRecord(rows, id))?.version,
    });
    const forecast = createForesight(forecasts, clock);
    const board = createChangeBoard({ store, clock, stepsOf: createStepsOf(store, reportsOf), forecast });
    const live = createLive({
      source: createLiveSource({ store, board, clock, readQuery: readListQuery, forecast }),
      ...{ clock, log, draw: rowDrawer(clock) },
    });
    stopping.signal.addEventListener('abort', live.close);
    // The same doors; pages behind them are also told what keeps them up to date.
    const forPages = livePages({ live, authentication, clock });
    const senders = [
      argocdSender({ sources: senderSources(connections, 'argocd') }),
      fluxSender({ sources: senderSources(connections, 'flux') }),
      ...gitSenders((kind) => gitSenderSources(connections, kind), clock),
    ];
    const readView = (limit: number) => readConnectionsView({ store, clock, checks, gitHosts }, limit);
    const routers: Router[] = [
      receiveRoutes({ store, clock, senders, authentication, metrics, failpoint }),
      reportRoutes({ store, clock, authentication }),
      movedRoutes({ store, authentication }),
      operationsRoutes(store, metrics, () => stopping.signal.aborted),
      compressed(),
      changesRoutes({ board, changes, clock, authentication, position: live.position }),
      rebuildRoutes({ store, clock }, authentication),
      findRoutes({ store, board, authentication, frameOf, publicUrl: environment.publicUrl }),
      badgeRoutes({ store, board, authentication }),
      eventLogRoutes(store, authentication, words),
      riskRoutes(riskModels, authentication),
      stopTheLineRoutes(line, authentication),
      connectionsRoutes(readView, authentication),
      evaluationRoutes({ store, clock, authentication }, evaluations),
      evaluationPageRoutes({ store, evaluations, fleet, authentication: forPages, frameOf }),
      fleetRoutes({ fleet, store, clock, authentication: forPages, frameOf }),
      connectionPageRoutes({
        ...{ store, clock, authentication: forPages, frameOf, publicUrl: environment.publicUrl },
        read: readView,
        received: () => receivedSoFar(metrics),
        tests: { senders, systems: testableSystems(connections) },
      }),
      ...gateRoutes({
        store,
        clock,
        progress,
        evaluations,
        authentication,
        publicUrl: environment.publicUrl,
        findUnseenCommit: createUnseenCommitFinder(store, tools.deliverySystem),
        findSyncingCommit: createSyncingCommitFinder(store, tools.deliverySystem),
      }),
      openApiRoutes({ authentication, anonymousRead: environment.anonymousRead, routes: () => routesOf(routers) }),
      assetRoutes(),
      liveRoutes({ live, authentication, stopping: stopping.signal, trustedProxies: environment.trustedProxies }),
      themeRoutes(environment.publicUrl),
      forecastRoutes((filter) => readForecast({ store, clock, forecasts }, filter), authentication, frameOf),
      ...doors.routes(frameOf),
      changesPageRoutes({
        ...{ board, line, authentication: forPages, frameOf },
        problems: createConnectionProblems({ store, clock, checks }),
      }),
      changePageRoutes({
        ...{ board, changes, line, authentication: forPages, frameOf },
        ahead: (facts) => stepsAhead(forecasts, facts),
      }),
    ];
    const server = createHttpServer(
      createHttpApp(routers, log, {
        publicUrl: environment.publicUrl,
        frameAncestors: connections.frameAncestors,
        frameOf,
      }),
    );
    const address = await listen(server, environment.listen);
    log.info({ address, store: store.kind, ...describe(connections) }, 'Lynceus is ready');
    if (doors.isFirstRun)
      await offerFirstRun(
        { credentials: store.credentials, clock, log },
        `${environment.publicUrl ?? address}/sign-in`,
      );
    return {
      address,
      routes: routesOf(routers),
      async stop() {
        stopping.abort();
        await close(server);
        await Promise.allSettled([worker, watching]);
        await Promise.allSettled(connections.gitHosts.map(async (host) => host.close?.()));
        await store.close();
        log.info({}, 'Lynceus has stopped');
      },
    };
  } catch (error) {
    stopping.abort();
    await store.close();
    throw error;
  }
}

/** What is needed to make all rows of a store from its log, without a service. */
export function createRebuildRoom(store: Store, clock: Clock) {
  return {
    store,
    stops: createStopTheLine(store, clock).stops,
    reportsOf: createReportsOf(store),
    received: jobsInLog,
  };
}

/**
 * Reads and checks lynceus.yaml.
 *
 * @throws {ConfigurationError} with every problem, or saying that there is no such file
 */
export function readConnections(environment: Environment, sources: SecretSources): Connections {
  const tools: Omit<AdapterTools, 'secret'> = {
    addresses: environment.allowLoopback ? 'any' : 'operator',
    cacheDir: path.join(environment.dataDir, 'cache'),
  };
  let text: string;
  try {
    text = readFileSync(environment.configFile, 'utf8');
  } catch {
    throw new ConfigurationError(
      `${environment.configFile} cannot be read: write it (see examples/lynceus.yaml), or name it in LYNCEUS_CONFIG`,
    );
  }
  const parsed = parseConnections(text, environment.configFile, sources, tools);
  if (parsed.ok) return parsed.value;
  throw new ConfigurationError(parsed.problems.map(sayProblem).join('\n'));
}

function taskTools(
  environment: Environment,
  connections: Connections,
  store: Store,
  riskModels: RiskModels,
  clock: Clock,
): TaskTools {
  const systems = new Map(connections.deliverySystems.map(({ system }) => [system.name, system]));
  const { publicUrl } = environment;
  return {
    deliverySystem: (name) => systems.get(name),
    gitHost: (repository) => gitHostFor(connections.gitHosts, repository),
    metricsSource: (name) => connections.metrics.find((source) => name === undefined || source.name === name),
    registry: (image) => findRegistry(connections.registries, image),
    httpTest: createHttpTestRunner(environment.allowLoopback ? 'any' : 'team'),
    history: createHistory(store),
    toldByWebhooks: createWebhookEar(store, clock),
    riskModel: riskModels.current,
    linkTo: (context) => (publicUrl === undefined ? undefined : `${publicUrl}/changes/${encodeURIComponent(context)}`),
  };
}

function gitHostFor(hosts: readonly GitHost[], repository: Repository): GitHost | undefined {
  const host = findGitHost(hosts, repository);
  if (host || hosts.length === 0) return host;
  throw new AdapterError('not-found', `no Git host in lynceus.yaml serves ${repository.url}`);
}

/** Who may send to the webhook of a kind: a token of the one opens nothing at the other. */
function senderSources(connections: Connections, kind: string) {
  return connections.deliverySystems
    .filter(({ system }) => system.kind === kind)
    .map(({ system, webhookTokens }) => ({ system: system.name, tokens: webhookTokens }));
}

function testableSystems({ deliverySystems }: Connections) {
  return deliverySystems.map(({ system: { name, kind }, webhookTokens: tokens }) => ({ name, kind, tokens }));
}

function gitSenderSources(connections: Connections, kind: string) {
  return connections.gitHosts
    .filter((host) => host.kind === kind)
    .map((host) => ({
      host: host.name,
      tokens: connections.gitWebhookTokens.get(host.name) ?? [],
      serves: (url: string) => host.serves({ url }),
    }));
}

/** A task whose sequence is over is broken off, also when another replica ended it. */
async function isStillWanted(store: Store, job: ClaimedJob): Promise<boolean> {
  if (job.queue !== 'task') return true;
  const row = await store.document('sequence', String(job.payload['sequence']));
  return row?.status !== 'finished';
}

function describe(connections: Connections) {
  return {
    deliverySystems: connections.deliverySystems.map(({ system }) => system.name),
    gitHosts: connections.gitHosts.map(({ name }) => name),
    metrics: connections.metrics.map(({ name }) => name),
    tokens: connections.tokens.length,
  };
}

function listen(server: Server, { host, port }: Environment['listen']): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new ConfigurationError(
          `cannot listen on ${host}:${port}: ${error.code === 'EADDRINUSE' ? 'the address is in use' : error.message}`,
        ),
      );
    });
    server.listen(port, host, () => {
      const { port: bound } = server.address() as AddressInfo;
      resolve(`http://${host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${bound}`);
    });
  });
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearTimeout(timer);
}
