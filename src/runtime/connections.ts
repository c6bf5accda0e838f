import type { ConnectionCheck } from '../adapters/connection-check.ts';
import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { failed } from '../adapters/failed-connection.ts';
import type { GitHost } from '../adapters/git-hosts/git-host.ts';
import type { Clock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { Application } from '../events/application.ts';
import type { Finding } from '../events/finding.ts';
import type { ClaimedJob, Document, NewJob, Store } from '../store/store.ts';
import {
  type ConnectionName,
  type ConnectionsView,
  connectionsView,
  type GitWebhooks,
  type HeardApplication,
  type Inspection,
  inspectApplications,
  type KnownApplication,
} from '../views/connections.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';
import { lastHeard } from './git-webhooks.ts';
import type { Lease } from './lease.ts';
import type { Log } from './log.ts';
import type { SeenApplication } from './observe-application.ts';
import { openPullRequests } from './pull-request-rows.ts';
import { lastRedelivery } from './redeliver.ts';

export interface ConnectionsRoom {
  store: Store;
  gitHosts: readonly GitHost[];
  clock: Clock;
  log: Log;
  checks: readonly ConnectionCheck[];
  deliverySystem(name: string): DeliverySystem | undefined;
  /** What was logged already; not more than there is to find. */
  logged: Set<string>;
}

/** Rights and tokens change seldom; people who mend them ask `lynceus doctor`. */
const EVERY_MS = 10 * 60_000;
/** Asking for all rights in many AppProjects takes a while; a hanging server does not get longer. */
const LIMIT_MS = 60_000;
const PAGE = 1000;
/** How many of the newest sequences are looked through for those that could not be planned. */
const MAX_PLANS = 200;
/** Among the pull requests opened last there is one of every host that is in use. */
const MAX_OPEN = 300;

/** Work that looks at a connection; `delayMs` from now, so that it does not compete with the start. */
export function diagnoseJobs(checks: readonly ConnectionCheck[], delayMs: number): NewJob[] {
  return checks.map(({ section, name }) => ({
    queue: 'diagnose',
    key: `${section}/${name}`,
    payload: { section, name },
    delayMs,
  }));
}

/** Looks at one connection, keeps what was found, and logs each problem once. */
export async function diagnoseConnection(room: ConnectionsRoom, job: ClaimedJob, lease: Lease): Promise<void> {
  const { section, name } = job.payload;
  const check = room.checks.find((one) => one.section === section && one.name === name);
  if (!check) return room.store.commit({ claim: job, settle: { kind: 'done' } }).then(() => undefined);
  const inspection = await inspect(check, room.deliverySystem(check.name), room.clock, lease.signal);
  for (const finding of inspection.findings) logOnce(room, check, finding);
  const now = room.clock.now().getTime();
  const documents = [
    {
      kind: 'connection',
      id: `${section}/${name}`,
      version: now,
      sort: now,
      data: inspection as unknown as JsonObject,
    },
  ];
  await room.store.commit({ documents, claim: job, settle: { kind: 'again', delayMs: EVERY_MS } });
}

function logOnce({ log, logged }: ConnectionsRoom, { section, name }: ConnectionCheck, finding: Finding): void {
  const key = `${section}/${name}/${finding.check}`;
  if (finding.level !== 'problem') {
    // Once it is well again, the next failure is news.
    logged.delete(key);
    return;
  }
  if (logged.has(key)) return;
  logged.add(key);
  const { check, sentence, remedy } = finding;
  log.warn({ section, connection: name, check, finding: sentence, remedy }, 'a connection has a problem');
}

/** What can be found out about a connection now. A failure is a finding. */
export async function inspect(
  check: ConnectionCheck,
  system: DeliverySystem | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<Inspection> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  const checkedAt = clock.now().toISOString();
  const findings: Finding[] = [];
  try {
    findings.push(...((await check.diagnose?.({ signal: bounded })) ?? []));
  } catch (error) {
    findings.push(failed('diagnosis', error));
  }
  const labelled = check.section === 'deliverySystems' ? system?.labelled : undefined;
  if (!labelled || findings.some(({ level, check: what }) => level === 'problem' && FATAL.has(what)))
    return { checkedAt, findings };
  try {
    return { checkedAt, findings, applications: inspectApplications(await labelled.call(system, { signal: bounded })) };
  } catch (error) {
    return { checkedAt, findings: [...findings, failed('applications', error)] };
  }
}

/** With these, nothing else would answer. */
export const FATAL: ReadonlySet<string> = new Set(['address', 'token', 'applications', 'diagnosis']);

/** What is connected, as any replica may tell it. */
export async function readConnections(
  { store, clock, checks, gitHosts }: Pick<ConnectionsRoom, 'store' | 'clock' | 'checks' | 'gitHosts'>,
  limit: number,
): Promise<ConnectionsView> {
  const [inspected, applications, heard, gitWebhooks] = await Promise.all([
    allRows(store, 'connection'),
    allRows(store, 'application'),
    allRows(store, 'heard'),
    readGitWebhooks(store, gitHosts),
  ]);
  const inspections = new Map(inspected.map(({ id, data }) => [id, data as unknown as Inspection]));
  const known = applications.filter(({ status }) => status !== 'gone').map(toKnown);
  const planProblems = await findPlanProblems(store, known);
  return connectionsView({
    names: checks.map(toName),
    inspection: ({ section, name }) => inspections.get(`${section}/${name}`),
    known: known.map((one) => ({ ...one, ...planProblems(one) })),
    heard: heard.map(({ data }) => data as unknown as HeardApplication),
    gitWebhooks,
    now: clock.now(),
    limit,
  });
}

async function readGitWebhooks(store: Store, hosts: readonly GitHost[]): Promise<GitWebhooks[]> {
  const open = hosts.length === 0 ? [] : await openPullRequests(store, MAX_OPEN);
  return Promise.all(
    hosts.map(async (host) => {
      const [heard, redelivery] = await Promise.all([lastHeard(store, host.name), lastRedelivery(store, host.name)]);
      const newest = open.find(({ repository }) => host.serves({ url: repository }));
      return {
        host: host.name,
        ...(heard === undefined ? {} : { heardAt: heard.heardAt }),
        ...(newest === undefined ? {} : { openedAt: new Date(newest.since).toISOString() }),
        ...(redelivery?.problem === undefined ? {} : { missed: redelivery.problem }),
      };
    }),
  );
}

export function toName({ section, kind, name, hasWebhook }: ConnectionCheck): ConnectionName {
  return { section, kind, name, hasWebhook };
}

/** An application as it was just listed; without a place it is known by its labels alone. */
export function toKnownNow({ ref, place }: Application, planProblem: string | undefined): KnownApplication[] {
  if (place === undefined) return [];
  const { system, namespace, name } = ref;
  return [{ system, namespace, name, place, ...(planProblem === undefined ? {} : { planProblem }) }];
}

function toKnown({ project = '', stage = '', service = '', data }: Document): KnownApplication {
  const { ref, changedAt } = data as unknown as SeenApplication;
  const { system, namespace, name } = ref;
  const times = changedAt === undefined ? {} : { changedAt };
  return { system, namespace, name, place: { project, stage, service }, ...times };
}

/** Of the newest sequences, those whose delivery.yaml does not know the place or cannot be read. */
async function findPlanProblems(store: Store, known: readonly KnownApplication[]) {
  const problems = new Map<string, string>();
  const seen = new Set<string>();
  const rows = known.length === 0 ? [] : await store.documents({ kind: 'sequence', limit: MAX_PLANS });
  for (const { project, stage, service, data } of rows) {
    const key = [project, stage, service].join('/');
    if (seen.has(key)) continue;
    seen.add(key);
    const plan = sequenceFromRow(data).tasks.find(({ name }) => name === 'plan');
    if (plan?.status === 'errored') problems.set(key, firstLine(plan.message ?? 'delivery.yaml could not be read'));
  }
  return ({ place }: KnownApplication): { planProblem?: string } => {
    const planProblem = problems.get([place.project, place.stage, place.service].join('/'));
    return planProblem === undefined ? {} : { planProblem };
  };
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 500);
}

async function allRows(store: Store, kind: string): Promise<Document[]> {
  const all: Document[] = [];
  for (let after: { sort: number; id: string } | undefined; ; ) {
    const rows = await store.documents({ kind, limit: PAGE, ...(after ? { after } : {}) });
    all.push(...rows);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return all;
    after = { sort: last.sort, id: last.id };
  }
}
