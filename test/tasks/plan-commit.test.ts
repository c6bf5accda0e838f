import { expect, it } from 'vitest';
import { mailId } from '../../src/base/mail.ts';
import { readCommit } from '../../src/tasks/plan-commit.ts';
import type { TaskInput, TaskTools } from '../../src/tasks/task.ts';
import { triggered } from '../support/sequence.ts';

const [NEW, OLD] = ['1'.repeat(40), '2'.repeat(40)];
const MEL = mailId('mel@example.com');
const begun = triggered({ revision: NEW, previousRevision: OLD });
const input = {
  triggered: begun.name === 'sequence.triggered' ? begun.data : undefined,
  signal: new AbortController().signal,
} as unknown as TaskInput;

/** Asked of a Git host that lists this author, or of a delivery system that writes both in one. */
const asked = (commit: object | undefined, author = '') =>
  readCommit(input, {
    gitHost: () =>
      commit && { compare: async () => ({ commits: [{ sha: NEW, subject: 'Raise', date: '', ...commit }] }) },
    deliverySystem: () => ({ revisionMetadata: async () => ({ author, message: 'Raise', date: '', tags: [] }) }),
  } as unknown as TaskTools);

it.each([
  ['by its Git host', { author: 'Mel', email: 'Mel@Example.com' }, '', { author: 'Mel', mail: MEL }],
  ['by its delivery system', undefined, 'Mel A. <mel@example.com>', { author: 'Mel A.', mail: MEL }],
  ['by a name in brackets', undefined, 'A <b> c <mel@example.com', { author: 'A <b> c', mail: MEL }],
  ['without an address', { author: 'Mel' }, '', { author: 'Mel' }],
  ['with what is none', { author: 'Mel', email: 'mel' }, '', { author: 'Mel' }],
])('a commit is told %s, and its address only by what stands for it', async (_how, commit, author, expected) => {
  const told = await asked(commit, author);
  expect(told).toEqual({ subject: 'Raise', ...expected });
  expect(JSON.stringify(told)).not.toContain('@');
});
