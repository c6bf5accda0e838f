import type { Place } from '../events/application.ts';
import type { Finding, LabelledApplication } from '../events/finding.ts';
import { type LabelProblem, labelProblems } from './label-problems.ts';

export type Section = 'deliverySystems' | 'gitHosts' | 'metrics' | 'registries' | 'eventSinks' | 'signIn';

/** An entry of lynceus.yaml. */
export interface ConnectionName {
  section: Section;
  kind: string;
  name: string;
  /** Whether anything may call us in its name. */
  hasWebhook: boolean;
}

/** What was found when a connection was looked at. */
export interface Inspection {
  /** ISO 8601. */
  checkedAt: string;
  findings: Finding[];
  /** Only of a delivery system that could be asked. */
  applications?: InspectedApplications;
}

export interface InspectedApplications {
  labelled: number;
  /** Those with something wrong, at most `MAX_FAULTY`. */
  faulty: FaultyApplication[];
}

export interface FaultyApplication {
  namespace: string;
  name: string;
  problems: LabelProblem[];
}

/** An application as it was last seen, and when. */
export interface KnownApplication {
  system: string;
  namespace: string;
  name: string;
  place: Place;
  /** When it was last found to be other than before; absent: never since it was first seen. ISO 8601. */
  changedAt?: string;
  /** Why its newest change could not even be planned. */
  planProblem?: string;
}

/** What came in about an application. */
export interface HeardApplication {
  system: string;
  namespace: string;
  name: string;
  /** ISO 8601. */
  heardAt: string;
  /** Why it could not be read when it was told of. */
  unread?: string;
}

export type ApplicationWord = 'ok' | 'silent' | 'incomplete' | 'unreadable';

export interface ApplicationState extends Partial<Place> {
  system: string;
  namespace: string;
  name: string;
  state: ApplicationWord;
  problems: LabelProblem[];
  heardAt?: string;
  changedAt?: string;
}

export interface ConnectionState extends ConnectionName {
  level: Finding['level'] | 'unchecked';
  checkedAt?: string;
  findings: Finding[];
  /** Of a delivery system or a Git host: when it last told us anything. */
  heardAt?: string;
  /** Of a delivery system: how many applications it told of in the last 24 h. */
  heardLastDay?: number;
  /** Of a delivery system: how many applications carry labels of ours. */
  labelled?: number;
}

export interface ConnectionsView {
  connections: ConnectionState[];
  /** Those with problems first. */
  applications: ApplicationState[];
  /** How many there are beyond those. */
  more: number;
}

/** What is known of the webhooks of a Git host. */
export interface GitWebhooks {
  /** Name of the connection. */
  host: string;
  /** ISO 8601; absent: never. */
  heardAt?: string;
  /** When the pull request was opened that is open there and was opened last, ISO 8601. */
  openedAt?: string;
  /** Why it could not be asked for those that did not arrive. */
  missed?: string;
}

export interface ConnectionsFacts {
  names: readonly ConnectionName[];
  inspection(name: ConnectionName): Inspection | undefined;
  known: readonly KnownApplication[];
  heard: readonly HeardApplication[];
  /** Of Git hosts. Absent: nothing is known, as when nobody listens. */
  gitWebhooks?: readonly GitWebhooks[];
  now: Date;
  limit: number;
}

/** More of them are one mistake, made many times. */
export const MAX_FAULTY = 200;
/** Notifications are sent by one worker, application after application: minutes are usual. */
const SILENT_MS = 10 * 60_000;
/** What could not be read a day ago may be deleted by now. */
const FORGOTTEN_MS = 86_400_000;
const MINUTES = SILENT_MS / 60_000;

/** What is wrong with the labels of applications. */
export function inspectApplications(labelled: readonly LabelledApplication[]): InspectedApplications {
  const faulty = labelled.flatMap((one) => {
    const problems = labelProblems(one);
    return problems.length === 0 ? [] : [{ namespace: one.namespace, name: one.name, problems }];
  });
  return { labelled: labelled.length, faulty: faulty.slice(0, MAX_FAULTY) };
}

/** What is connected and how it is, for the page, the API and `lynceus doctor`. */
export function connectionsView(facts: ConnectionsFacts): ConnectionsView {
  const applications = applicationStates(facts).sort(bySeverity);
  return {
    connections: facts.names.map((name) => connectionState(name, facts)),
    applications: applications.slice(0, facts.limit),
    more: Math.max(0, applications.length - facts.limit),
  };
}

function connectionState(name: ConnectionName, facts: ConnectionsFacts): ConnectionState {
  const inspection = facts.inspection(name);
  const webhooks = name.section === 'gitHosts' ? facts.gitWebhooks?.find(({ host }) => host === name.name) : undefined;
  const heardAt =
    name.section === 'deliverySystems'
      ? latest(facts.heard.filter(({ system }) => system === name.name))
      : webhooks?.heardAt;
  const heardLastDay = name.section === 'deliverySystems' ? heardWithin(DAY_MS, name.name, facts) : undefined;
  const told = name.hasWebhook && webhooks ? webhookFindings(webhooks, facts.now) : [];
  const findings = [...(inspection?.findings ?? []), ...told];
  return {
    ...name,
    level: worst(findings),
    ...(inspection === undefined ? {} : { checkedAt: inspection.checkedAt }),
    findings,
    ...(heardAt === undefined ? {} : { heardAt }),
    ...(heardLastDay === undefined ? {} : { heardLastDay }),
    ...(inspection?.applications === undefined ? {} : { labelled: inspection.applications.labelled }),
  };
}

const DAY_MS = 86_400_000;

function heardWithin(ms: number, system: string, { heard, now }: ConnectionsFacts): number {
  return heard.filter((one) => one.system === system && now.getTime() - Date.parse(one.heardAt) <= ms).length;
}

/** A host tells of every pull request that we open: silence after one means that its webhook is not there. */
function webhookFindings({ heardAt, openedAt, missed }: GitWebhooks, now: Date): Finding[] {
  const findings: Finding[] = [];
  const opened = openedAt === undefined ? undefined : Date.parse(openedAt);
  const told = heardAt !== undefined && opened !== undefined && Date.parse(heardAt) >= opened - SILENT_MS;
  if (openedAt !== undefined && opened !== undefined && !told && now.getTime() - opened > SILENT_MS) {
    const last = heardAt === undefined ? 'never heard of' : `last heard of ${sayMinute(heardAt)}`;
    const sentence = `did not tell of the pull request opened ${sayMinute(openedAt)}; ${last}`;
    findings.push({ level: 'warning', check: 'webhooks', sentence, remedy: GIT_SILENT });
  }
  if (missed !== undefined) {
    const sentence = `failed webhooks cannot be asked for again: ${missed}`;
    findings.push({ level: 'warning', check: 'redelivery', sentence, remedy: GIT_MISSED });
  }
  return findings;
}

const GIT_SILENT =
  'set up the webhook as docs/webhooks.md says; the page of the webhook at the host lists what was sent and answered';
const GIT_MISSED =
  'let the token read and write webhooks of the repository; without it what is missed is found by polling';

function latest(heard: readonly HeardApplication[]): string | undefined {
  return heard.reduce<string | undefined>(
    (newest, { heardAt }) => (newest === undefined || heardAt > newest ? heardAt : newest),
    undefined,
  );
}

/** Nothing found is nothing known: that is not well. */
export function worst(findings: readonly Finding[]): ConnectionState['level'] {
  if (findings.length === 0) return 'unchecked';
  return (['problem', 'warning'] as const).find((level) => findings.some((one) => one.level === level)) ?? 'ok';
}

function applicationStates(facts: ConnectionsFacts): ApplicationState[] {
  const systems = facts.names.filter(({ section }) => section === 'deliverySystems');
  const byKey = new Map<string, ApplicationState>();
  const told = facts.heard.map((one) => forgetful(one, facts.now));
  const heard = new Map(told.map((one) => [keyOf(one), one]));
  for (const system of systems) {
    const known = facts.known.filter((one) => one.system === system.name);
    for (const one of known) byKey.set(keyOf(one), stateOf(one, heard.get(keyOf(one)), system, facts.now));
    for (const one of facts.inspection(system)?.applications?.faulty ?? []) {
      const key = keyOf({ system: system.name, ...one });
      byKey.set(key, withFaults(byKey.get(key) ?? strange(system.name, one, heard.get(key)), one.problems));
    }
    for (const one of told) {
      if (one.system === system.name && one.unread !== undefined && !byKey.has(keyOf(one)))
        byKey.set(keyOf(one), unreadable(one, one.unread));
    }
  }
  return [...byKey.values()];
}

function forgetful(heard: HeardApplication, now: Date): HeardApplication {
  if (now.getTime() - Date.parse(heard.heardAt) < FORGOTTEN_MS) return heard;
  const { unread: _, ...rest } = heard;
  return rest;
}

function keyOf({ system, namespace, name }: { system: string; namespace: string; name: string }): string {
  return `${system}/${namespace}/${name}`;
}

function stateOf(
  { planProblem, place, ...known }: KnownApplication,
  heard: HeardApplication | undefined,
  system: ConnectionName,
  now: Date,
): ApplicationState {
  const times = heard === undefined ? {} : { heardAt: heard.heardAt };
  const planned = planProblem === undefined ? [] : [unplanned(planProblem)];
  const base = { ...known, ...place, ...times };
  if (heard?.unread !== undefined) return { ...unreadable(heard, heard.unread), ...base, state: 'unreadable' };
  const silence = system.hasWebhook ? silenceOf(known.changedAt, heard?.heardAt, system.kind, now) : undefined;
  if (silence) return { ...base, state: 'silent', problems: [...planned, silence] };
  return { ...base, state: planned.length > 0 ? 'incomplete' : 'ok', problems: planned };
}

/** It changed, we found out by ourselves, and nobody told of it around that time. */
function silenceOf(
  changedAt: string | undefined,
  heardAt: string | undefined,
  kind: string,
  now: Date,
): LabelProblem | undefined {
  if (changedAt === undefined) return undefined;
  const changed = Date.parse(changedAt);
  const told = heardAt !== undefined && Date.parse(heardAt) >= changed - SILENT_MS;
  if (told || now.getTime() - changed <= SILENT_MS) return undefined;
  const last = heardAt === undefined ? 'never heard of' : `last heard of ${sayMinute(heardAt)}`;
  return {
    sentence: `changed ${sayMinute(changedAt)}, not told of within ${MINUTES} min; ${last}`,
    remedy: kind === 'flux' ? FLUX_SILENT : ARGOCD_SILENT,
  };
}

const ARGOCD_SILENT =
  'subscribe it as argocd-notifications/README.md says, then read the log of argocd-notifications-controller';
const FLUX_SILENT =
  'see that an Alert of flux-alerts/ covers it; kubectl describe alert shows NotificationDispatchFailed and MetadataAppendFailed';

function sayMinute(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

function unplanned(sentence: string): LabelProblem {
  return { sentence, remedy: 'correct delivery.yaml, or the label: lynceus validate checks the file' };
}

function unreadable({ system, namespace, name, heardAt }: HeardApplication, why: string): ApplicationState {
  const remedy = 'grant the right that is named at its connection; who may not read it sees no difference to deleted';
  return { system, namespace, name, state: 'unreadable', heardAt, problems: [{ sentence: why, remedy }] };
}

function strange(system: string, { namespace, name }: FaultyApplication, heard?: HeardApplication): ApplicationState {
  const times = heard === undefined ? {} : { heardAt: heard.heardAt };
  return { system, namespace, name, state: 'incomplete', problems: [], ...times };
}

function withFaults(state: ApplicationState, problems: readonly LabelProblem[]): ApplicationState {
  const word = state.state === 'ok' ? 'incomplete' : state.state;
  return { ...state, state: word, problems: [...problems, ...state.problems] };
}

const ORDER: readonly ApplicationWord[] = ['unreadable', 'incomplete', 'silent', 'ok'];

function bySeverity(a: ApplicationState, b: ApplicationState): number {
  const order = ORDER.indexOf(a.state) - ORDER.indexOf(b.state);
  if (order !== 0) return order;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}
