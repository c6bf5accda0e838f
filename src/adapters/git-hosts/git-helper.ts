import { type ChildProcess, execFile } from 'node:child_process';
import type { GitAnswer, GitOrder } from './git-runner.ts';

/*
 * Runs git for the service, which is too large to start processes itself (docs/adr/0004-local-git-host.md). Ends when the
 * service is gone or has nothing to do for it; a git that is under way then ends by itself.
 */

const running = new Map<number, ChildProcess>();

process.on('message', (order: GitOrder | { stop: number }) => {
  if ('stop' in order) running.get(order.stop)?.kill();
  else run(order);
});

// From a terminal they reach every process at once: the service says when it is over.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

function run({ id, args, input, ...options }: GitOrder): void {
  const settings = { ...options, cwd: '/', encoding: 'buffer' } as const;
  const child = execFile('git', args, settings, (error, stdout, stderr) => {
    running.delete(id);
    const { code = null, killed = false, signal } = error ?? { code: 0 };
    report({ id, code, killed, signal: signal ?? null, stdout, stderr: stderr.toString('utf8') });
  });
  running.set(id, child);
  // git may end before it has read everything; its exit code says why, the broken pipe does not.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
}

function report(answer: GitAnswer): void {
  if (process.connected) process.send?.(answer, undefined, undefined, () => {});
}
