import { channel } from 'node:diagnostics_channel';
import { appendFileSync, readFileSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, inject } from 'vitest';
import type { Exchange } from '../../examples/sandbox/exchange.ts';
import { hasArgoCdFixtures } from './argocd-fixtures.ts';
import { createSwaggerValidator, type SwaggerValidator } from './argocd-swagger.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test files write down what they sent to a sandbox Argo CD. */
    argocdWitness: string;
  }
}

/** EXCHANGES of the sandbox, by its name: most tests need no sandbox and shall not load one. */
const EXCHANGES = channel('lynceus:sandbox-argocd-exchange');
/** Node's own: an answer has begun to come in here. */
const ANSWERED = channel('http.client.response.finish');

/** How our HTTP client names itself: what tests send by hand to see the sandbox refuse it is not ours. */
const OURS = 'lynceus';
/** Addresses that of all systems only Argo CD has. */
const ARGOCD = /\/api\/(?:version$|v1\/(?:stream\/)?(?:applications|projects|session\/userinfo|account\/can-i)\b)/;
/** How long an exchange may take to be witnessed once its answer is there. */
const [CHECKS, EVERY_MS] = [40, 50];

let validator: SwaggerValidator | undefined;
let problems: string[] = [];
const seen = new Map<string, number>();
const broken = new Map<string, number>();
const [asked, witnessedHosts] = [new Map<string, string>(), new Set<string>()];

EXCHANGES.subscribe(witness);
ANSWERED.subscribe(noteHost);
afterEach(complain);
afterAll(async () => {
  for (let check = 0; check < CHECKS && unwitnessed().length > 0; check++) await sleep(EVERY_MS);
  EXCHANGES.unsubscribe(witness);
  ANSWERED.unsubscribe(noteHost);
  const counted = [...seen, ...[...broken].map(([why, times]) => [`broken: ${why}`, times])];
  if (seen.size > 0) appendFileSync(inject('argocdWitness'), `${JSON.stringify(counted)}\n`);
  complain();
  const missed = unwitnessed();
  if (missed.length > 0) throw new Error(`nobody witnessed: use test/support/argocd-fake.ts\n${missed.join('\n')}`);
});

/** Operations of Argo CD that this test file has asked for so far, `METHOD /path/{parameter}`, and how often. */
export function witnessed(): ReadonlyMap<string, number> {
  return seen;
}

/** Answers that were broken on purpose, by their reason, and how many: these are not held to anything. */
export function brokenOnPurpose(): ReadonlyMap<string, number> {
  return broken;
}

/** What our client asked in this process and no sandbox and no fake has told of. */
export function unwitnessed(): string[] {
  return [...asked].flatMap(([host, what]) => (witnessedHosts.has(host) ? [] : [`${host}: ${what}`]));
}

/** One that a test left unwitnessed on purpose, to see that it is found. */
export function excuse(host: string): void {
  asked.delete(host);
}

/** Hears what a sandbox in another process has written: see SANDBOX_ARGOCD_EXCHANGES. Answers how many it were. */
export function witnessFile(path: string): number {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  for (const line of lines) EXCHANGES.publish(JSON.parse(line));
  return lines.length;
}

/** Runs in every test file: whatever our client and an Argo CD say to each other must be in swagger.json. */
function witness(message: unknown): void {
  const exchange = message as Exchange;
  if (exchange.headers['user-agent'] !== OURS) return;
  validator ??= hasArgoCdFixtures() ? createSwaggerValidator() : undefined;
  if (validator === undefined) {
    EXCHANGES.unsubscribe(witness);
    ANSWERED.unsubscribe(noteHost);
    asked.clear();
    return;
  }
  witnessedHosts.add(exchange.headers['host'] ?? '');
  problems.push(...validator.problemsOf(exchange));
  count(seen, validator.operationOf(exchange) ?? 'none');
  if (exchange.broken !== undefined) count(broken, exchange.broken);
}

function noteHost(message: unknown): void {
  const { request } = message as { request: ClientRequest };
  const path = request.path.split('?')[0] ?? '';
  if (request.getHeader('user-agent') !== OURS || !ARGOCD.test(path)) return;
  const host = String(request.getHeader('host'));
  if (!asked.has(host)) asked.set(host, `${request.method} ${path}`);
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function complain(): void {
  const found = [...new Set(problems)];
  problems = [];
  if (found.length > 0) throw new Error(`not as swagger.json of Argo CD has it:\n${found.slice(0, 20).join('\n')}`);
}
