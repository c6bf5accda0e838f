import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';
import type { Secret } from '../../base/secret.ts';
import type { Finding } from '../../events/finding.ts';
import { failed } from '../failed-connection.ts';
import { type HttpAnswer, type HttpRequest, path } from '../http-client.ts';
import { type ArgoCdLabelled, type LabelledQuestion, listLabelled } from './argocd-labelled.ts';
import { tokenExpiry, tokenFindings } from './argocd-token.ts';
import type { CallOptions, DeliverySystem } from './delivery-system.ts';

export interface ArgoCdProbe {
  /** Throws only AdapterError. */
  ask(request: HttpRequest): Promise<HttpAnswer<unknown>>;
  /** When the token ends, where it says so. */
  expiry: Date | undefined;
  /** An application of each AppProject that is looked after: rights are asked for on real ones. */
  samples(): Promise<Sample[]>;
  now(): Date;
}

export interface Sample {
  project: string;
  /** `NAME`, or `NAMESPACE/NAME` outside the control plane's namespace. */
  application: string;
}

/** Nobody waits longer for a diagnosis, even where a sync may take its time. */
const TIMEOUT_MS = 5_000;
/** Beyond, our own timestamps and Argo CD's can no longer be compared. */
const MAX_SKEW_MS = 30_000;
/** One question each; who has more AppProjects grants rights by patterns. */
const MAX_PROJECTS = 20;

export interface ArgoCdDiagnosis extends Omit<LabelledQuestion, 'ask'> {
  /** Throws only AdapterError. */
  ask(request: HttpRequest): Promise<HttpAnswer<unknown>>;
  itemsOf(answer: unknown): unknown[];
  token: Secret;
}

/** A diagnosis asks for the same list as the discovery beside it. */
const REMEMBERED_MS = 30_000;

/** The methods of an Argo CD that look at the connection itself. */
export function argoCdDiagnosis(tools: ArgoCdDiagnosis): Required<Pick<DeliverySystem, 'diagnose' | 'labelled'>> {
  let last: { at: number; found: ArgoCdLabelled[] } | undefined;
  const labelled = async ({ signal }: CallOptions): Promise<ArgoCdLabelled[]> => {
    if (last !== undefined && performance.now() - last.at < REMEMBERED_MS) return last.found;
    const found = await listLabelled({
      ...tools,
      ask: async (request) => tools.itemsOf((await tools.ask({ ...request, ...(signal ? { signal } : {}) })).data),
    });
    last = { at: performance.now(), found };
    return found;
  };
  return {
    diagnose: ({ signal } = {}) =>
      diagnoseArgoCd({
        ask: (request) => tools.ask({ ...request, ...(signal ? { signal } : {}) }),
        expiry: tokenExpiry(tools.token.reveal()),
        samples: async () =>
          (await labelled(signal ? { signal } : {})).map(({ name, namespace, systemProject }) => ({
            project: systemProject,
            application: namespace === tools.controlPlaneNamespace ? name : `${namespace}/${name}`,
          })),
        now: () => new Date(),
      }),
    labelled: async (options = {}) => (await labelled(options)).map(({ systemProject: _, ...one }) => one),
  };
}

/** Address, version, clock, token and rights of an Argo CD, without changing anything. */
export async function diagnoseArgoCd(probe: ArgoCdProbe): Promise<Finding[]> {
  const address = await checkAddress(probe);
  if (address.some(({ level }) => level === 'problem')) return address;
  const token = await checkToken(probe);
  if (token.some(({ level }) => level === 'problem')) return [...address, ...token];
  return [...address, ...token, ...(await checkRights(probe))];
}

async function checkAddress(probe: ArgoCdProbe): Promise<Finding[]> {
  try {
    const answer = await probe.ask({ method: 'GET', path: '/api/version', timeoutMs: TIMEOUT_MS });
    const version = isJsonObject(answer.data) ? answer.data['Version'] : undefined;
    if (typeof version !== 'string') {
      throw new AdapterError('bad-response', 'what answers there is no Argo CD: it does not tell its version');
    }
    const good: Finding = { level: 'ok', check: 'address', sentence: `Argo CD ${version.slice(0, 60)} answers` };
    return [good, ...oldVersion(version), ...clockSkew(answer.headers['date'], probe.now())];
  } catch (error) {
    const path_ = 'correct the url: it is the one of argocd-server, with its --rootpath and without /api';
    return [failed('address', error, { 'not-found': path_, 'bad-response': path_ })];
  }
}

function oldVersion(version: string): Finding[] {
  const [, major = '', minor = ''] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  const isOld = major !== '' && (Number(major) < 2 || (Number(major) === 2 && Number(minor) < 10));
  if (!isOld) return [];
  const sentence = `Argo CD ${version.slice(0, 60)} is older than 2.10, which Lynceus is not held to`;
  return [{ level: 'warning', check: 'version', sentence, remedy: 'upgrade Argo CD' }];
}

function clockSkew(date: string | undefined, now: Date): Finding[] {
  const theirs = Date.parse(date ?? '');
  const skewMs = now.getTime() - theirs;
  if (Number.isNaN(theirs) || Math.abs(skewMs) <= MAX_SKEW_MS) return [];
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const sentence = `the clock of Argo CD is ${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} ours, at most ${MAX_SKEW_MS / 1000} s are good`;
  return [{ level: 'warning', check: 'clock', sentence, remedy: 'let NTP set the clocks of both machines' }];
}

async function checkToken(probe: ArgoCdProbe): Promise<Finding[]> {
  try {
    const { data } = await probe.ask({ method: 'GET', path: '/api/v1/session/userinfo', timeoutMs: TIMEOUT_MS });
    return tokenFindings(data, probe.expiry, probe.now());
  } catch (error) {
    return [failed('token', error)];
  }
}

async function checkRights(probe: ArgoCdProbe): Promise<Finding[]> {
  let samples: Sample[];
  try {
    samples = onePerProject(await probe.samples());
  } catch (error) {
    return [failed('applications', error)];
  }
  if (samples.length === 0) return nothingInSight(probe);
  const found: Finding[] = [];
  for (const sample of samples.slice(0, MAX_PROJECTS)) found.push(...(await checkProject(probe, sample)));
  return [...found, ...(samples.length > MAX_PROJECTS ? [notAsked(samples.length)] : [])];
}

function notAsked(projects: number): Finding {
  const sentence = `rights were asked for in ${MAX_PROJECTS} of ${projects} AppProjects`;
  return { level: 'warning', check: 'can-i', sentence, remedy: 'grant rights by patterns that cover all of them' };
}

function onePerProject(samples: readonly Sample[]): Sample[] {
  return [...new Map(samples.toReversed().map((sample) => [sample.project, sample])).values()].sort((a, b) =>
    a.project < b.project ? -1 : 1,
  );
}

/** Argo CD leaves out of a list what we may not see, without a word. */
async function nothingInSight(probe: ArgoCdProbe): Promise<Finding[]> {
  const anything = await mayI(probe, 'applications', 'get', ['*', '*']).catch(() => false);
  const sentence = 'no application with a label of ours is in sight';
  const label = 'label one (docs/connections.md)';
  const remedy = anything
    ? label
    : `${label}; if one is, the token lacks: p, ROLE, applications, get, PROJECT/*, allow`;
  return [{ level: 'warning', check: 'applications', sentence, remedy }];
}

const RIGHTS: readonly { resource: string; action: string; level: 'warning' | 'problem'; without: string }[] = [
  { resource: 'applications', action: 'get', level: 'problem', without: 'read them' },
  { resource: 'applications', action: 'sync', level: 'problem', without: 'sync them' },
  {
    resource: 'applications',
    action: 'override',
    level: 'warning',
    without: 'sync a commit where Argo CD requires the override privilege for it',
  },
  { resource: 'projects', action: 'get', level: 'warning', without: 'tell when a sync window opens' },
];

async function checkProject(probe: ArgoCdProbe, { project, application }: Sample): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const { resource, action, level, without } of RIGHTS) {
    const check = `can-i ${resource} ${action}`;
    const object = resource === 'projects' ? [project] : [project, ...application.split('/')];
    try {
      if (await mayI(probe, resource, action, object)) {
        found.push({ level: 'ok', check, sentence: `may ${action} ${resource} in AppProject ${project}` });
        continue;
      }
      const line = `p, ROLE, ${resource}, ${action}, ${resource === 'projects' ? project : `${project}/*`}, allow`;
      const sentence = `may not ${action} ${resource} in AppProject ${project}: Lynceus cannot ${without}`;
      found.push({ level, check, sentence, remedy: `add to argocd-rbac-cm: ${line}` });
    } catch (error) {
      found.push(failed(check, error));
    }
  }
  return found;
}

async function mayI(
  { ask }: ArgoCdProbe,
  resource: string,
  action: string,
  object: readonly string[],
): Promise<boolean> {
  // Argo CD takes the slashes of an object as they are, not encoded.
  const below = object.map((segment) => path`/${segment}`).join('');
  const request = path`/api/v1/account/can-i/${resource}/${action}` + below;
  const { data } = await ask({ method: 'GET', path: request, timeoutMs: TIMEOUT_MS });
  const value = isJsonObject(data) ? data['value'] : undefined;
  if (value !== 'yes' && value !== 'no') throw new AdapterError('bad-response', 'Argo CD answered neither yes nor no');
  return value === 'yes';
}
