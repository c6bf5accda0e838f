import { hash } from 'node:crypto';
import type { Json, JsonObject } from '../../base/json.ts';
import type { NewJob } from '../../store/store.ts';
import { numberAt } from './fields.ts';
import type { Translation } from './sender.ts';

/** What a webhook of a Git host says has moved. Only where to look: nothing of it is believed. */
export interface GitHint {
  /** The host's own name for it: `pull_request_review`. */
  event: string;
  /** `submitted`; absent where the event has none. */
  action?: string;
  /** Clone or web URL; absent for a greeting of an organisation's webhook. */
  repository?: string;
  /** Says only that the webhook was set up. */
  greets?: boolean;
  /** Of pull requests. */
  numbers?: number[];
  /** Short names of branches that were moved. */
  branches?: string[];
  /** Of the repository, where it is said. */
  defaultBranch?: string;
  /** A commit whose checks have changed. */
  sha?: string;
}

/** One configured Git host, as its webhooks see it. */
export interface HintSource {
  /** Its configured name. */
  host: string;
  /** Whether a repository, by its URL, is one of this host. */
  serves(url: string): boolean;
}

export interface HintContext {
  /** `github`, as in lynceus.yaml. */
  kind: string;
  rawBody: Buffer;
  receivedAt: Date;
  /** The id of this delivery, the same when it is sent again; mostly not signed. */
  delivery: string | undefined;
}

/** A second `git` job for the same target is the same work. */
interface Target {
  name: string;
  payload: JsonObject;
}

/** In the metrics; nobody is refused by it. */
const IGNORED = 'ignored';
const GREETING: Target = { name: '?', payload: {} };
const EVENT_TYPE = 'dev.lynceus.notification.received.v1';
const SHA = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
/** As Git limits the part of a name; longer ones are nobody's deployment. */
const BRANCH = /^[^\p{Cc}]{1,255}$/u;
const DELIVERY = /^[\w.:{}-]{1,100}$/;
const MAX_URL = 500;
/** The store takes 1,024 bytes. */
const MAX_KEY_CHARS = 300;
/** A push of more branches than this at once is a mirror. */
const MAX_TARGETS = 20;

/** The event for the log, with nothing personal in it, and the looks that it asks for. */
export function translateHint(source: HintSource, hint: GitHint, context: HintContext): Translation {
  const repository = hint.repository === undefined ? undefined : plainUrl(hint.repository);
  if (hint.repository !== undefined && repository === undefined)
    return refuseShape('the URL of the repository is missing, or is not one');
  if (repository !== undefined && !source.serves(repository)) return notServed(source.host, repository);
  const { kind, rawBody, receivedAt, delivery } = context;
  const known = delivery !== undefined && DELIVERY.test(delivery) ? delivery : undefined;
  const targets = hint.greets ? [GREETING] : targetsOf(hint);
  if (targets.length === 0) return ignored(`${hint.event} names no pull request and no branch`);
  const bodySha256 = hash('sha256', rawBody);
  const { event, action } = hint;
  const told = {
    host: source.host,
    event,
    ...(action === undefined || action === '' ? {} : { action: action.slice(0, 100) }),
    ...(repository === undefined ? {} : { repository }),
  };
  return {
    ok: true,
    event: {
      // The same bytes are one event, and so is the same delivery: its id is not signed, so it alone proves nothing.
      id: bodySha256,
      ...(known === undefined ? {} : { key: `${kind}:${source.host}:${known}` }),
      source: `${kind}/${source.host}`,
      type: EVENT_TYPE,
      subject: repository ?? source.host,
      time: receivedAt.toISOString(),
      data: {
        ...told,
        targets: targets.map(({ name }) => name),
        ...(known === undefined ? {} : { delivery: known }),
        bodySha256,
      },
    },
    jobs: targets.map(({ name, payload }) => lookJob(told, repository, { name, payload }, receivedAt)),
  };
}

function lookJob(told: JsonObject, repository: string | undefined, target: Target, receivedAt: Date): NewJob {
  const where = repository === undefined ? '' : new URL(repository).pathname.toLowerCase();
  const key = `${told['host']}${where}${target.name}`;
  return {
    queue: 'git',
    key: key.length > MAX_KEY_CHARS ? hash('sha256', key) : key,
    payload: { ...told, ...target.payload, heardAt: receivedAt.toISOString() },
  };
}

/** Each in a job of its own, so that bursts about one thing become one look. */
function targetsOf({ numbers = [], branches = [], defaultBranch, sha }: GitHint): Target[] {
  const moved = branches.filter((branch) => BRANCH.test(branch));
  return [
    ...numbers.map((number) => ({ name: `#${number}`, payload: { number } })),
    ...moved.map((branch) => ({
      name: `@${branch}`,
      payload: { branch, ...(branch === defaultBranch ? { isDefault: true } : {}) },
    })),
    ...(sha !== undefined && SHA.test(sha) ? [{ name: `:${sha}`, payload: { sha } }] : []),
  ].slice(0, MAX_TARGETS);
}

/** Without user, password and query; `undefined` when it is no web address. */
function plainUrl(text: string): string | undefined {
  if (text.length > MAX_URL || !URL.canParse(text)) return undefined;
  const { protocol, host, pathname } = new URL(text);
  if ((protocol !== 'https:' && protocol !== 'http:') || pathname === '/') return undefined;
  return `${protocol}//${host}${pathname}`;
}

/** `refs/heads/main` is `main`; tags and other refs are none. */
export function branchIn(ref: string): string[] {
  return ref.startsWith('refs/heads/') ? [ref.slice('refs/heads/'.length)] : [];
}

/** The number of a pull request that an event must have, as a list. */
export function numbersAt(body: JsonObject, ...path: readonly string[]): { numbers?: number[] } {
  const number = numberAt(body as Json, ...path);
  return number === undefined ? {} : { numbers: [number] };
}

export function ignored(why: string): Translation {
  return { ok: false, status: 202, code: IGNORED, detail: why };
}

export function refuseShape(detail: string): Translation {
  return { ok: false, status: 422, code: 'unknown-shape', detail };
}

function notServed(host: string, repository: string): Translation {
  const detail = `${repository} is not a repository of the Git host "${host}": compare its url in lynceus.yaml`;
  return { ok: false, status: 422, code: 'not-served', detail };
}
