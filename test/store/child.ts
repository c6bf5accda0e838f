import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** Run it with: mode, database URL (or empty), data folder. */
export const PROGRAM = fileURLToPath(new URL('./store-process.ts', import.meta.url));

export interface StoreProcess {
  pid: number;
  /** Everything that it said so far. */
  lines(): string[];
  /** Resolves with the first line (from `from` on) that begins with `start`. */
  says(start: string, from?: number): Promise<string>;
  /** Ends it without warning; its output is complete afterwards. */
  kill(): Promise<void>;
}

/** Starts a process within a test; it does not outlive the test. */
export function storeProcess(
  mode: 'append' | 'work' | 'hold' | 'receive-patiently',
  store: { databaseUrl?: string; dataDir?: string },
): StoreProcess {
  const child = spawn(process.execPath, [PROGRAM, mode, store.databaseUrl ?? '', store.dataDir ?? ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = collect(child);
  const closed = once(child, 'close');
  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await closed;
  }
  onTestFinished(kill);
  return {
    pid: child.pid!,
    lines: output.lines,
    async says(start, from = 0) {
      for (;;) {
        const line = output
          .lines()
          .slice(from)
          .find((candidate) => candidate.startsWith(start));
        if (line !== undefined) return line;
        const ended = await Promise.race([output.more(), closed.then(() => 'ended' as const)]);
        if (
          ended === 'ended' &&
          !output
            .lines()
            .slice(from)
            .some((candidate) => candidate.startsWith(start))
        ) {
          throw new Error(`The process ended without saying "${start}": ${output.lines().slice(-3).join(' | ')}`);
        }
      }
    },
    kill,
  };
}

function collect(child: ChildProcess): { lines: () => string[]; more: () => Promise<void> } {
  let text = '';
  let waiting: (() => void)[] = [];
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (const resolve of waiting.splice(0)) resolve();
  });
  return {
    // What stands behind the last line break was cut off by the kill.
    lines: () => text.split('\n').slice(0, -1),
    more: () =>
      new Promise((resolve) => {
        waiting = [...waiting, resolve];
      }),
  };
}
