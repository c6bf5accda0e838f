import { channel } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
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

/** How our HTTP client names itself: what tests send by hand to see the sandbox refuse it is not ours. */
const OURS = 'lynceus';

let validator: SwaggerValidator | undefined;
let problems: string[] = [];
const seen = new Map<string, number>();

EXCHANGES.subscribe(witness);
afterEach(complain);
afterAll(() => {
  EXCHANGES.unsubscribe(witness);
  if (seen.size > 0) appendFileSync(inject('argocdWitness'), `${JSON.stringify([...seen])}\n`);
  complain();
});

/** Operations of Argo CD that this test file has asked for so far, `METHOD /path/{parameter}`, and how often. */
export function witnessed(): ReadonlyMap<string, number> {
  return seen;
}

/** Runs in every test file: whatever our client and a sandbox Argo CD say to each other must be in swagger.json. */
function witness(message: unknown): void {
  const exchange = message as Exchange;
  if (exchange.headers['user-agent'] !== OURS) return;
  validator ??= hasArgoCdFixtures() ? createSwaggerValidator() : undefined;
  if (validator === undefined) {
    EXCHANGES.unsubscribe(witness);
    return;
  }
  problems.push(...validator.problemsOf(exchange));
  const operation = validator.operationOf(exchange) ?? 'none';
  seen.set(operation, (seen.get(operation) ?? 0) + 1);
}

function complain(): void {
  const found = [...new Set(problems)];
  problems = [];
  if (found.length > 0) throw new Error(`not as swagger.json of Argo CD has it:\n${found.slice(0, 20).join('\n')}`);
}
