import { channel } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import { afterAll, afterEach, inject } from 'vitest';
import type { GitHubExchange } from './github.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test files write down what they sent to a fake GitHub. */
    githubWitness: string;
  }
}

/** EXCHANGES of the fake GitHub, by its name: most tests need none and shall not load it. */
const EXCHANGES = channel('lynceus:fake-github-exchange');

let problems: string[] = [];
const seen = new Map<string, number>();

EXCHANGES.subscribe(witness);
afterEach(complain);
afterAll(() => {
  EXCHANGES.unsubscribe(witness);
  if (seen.size > 0) appendFileSync(inject('githubWitness'), `${JSON.stringify([...seen])}\n`);
  complain();
});

/** Runs in every test file: whatever our client and a fake GitHub say to each other must be as GitHub documents it. */
function witness(message: unknown): void {
  const { operation, problems: found } = message as GitHubExchange;
  problems.push(...found);
  seen.set(operation, (seen.get(operation) ?? 0) + 1);
}

function complain(): void {
  const found = [...new Set(problems)];
  problems = [];
  if (found.length > 0) throw new Error(`not as GitHub's OpenAPI has it:\n${found.slice(0, 20).join('\n')}`);
}
