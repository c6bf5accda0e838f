import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program in a process of its own. Its argument and each line that it prints are JSON. */
export interface Program<Line> {
  pid: number;
  /** The next line that it prints; rejects when it ends instead. */
  line(): Promise<Line>;
  stop(): Promise<void>;
}

export function startProgram<Line>(file: string, options?: unknown, env: Record<string, string> = {}): Program<Line> {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [program, ...(options === undefined ? [] : [JSON.stringify(options)])], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid ?? 0,
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${file} ended without an answer`);
      return JSON.parse(value) as Line;
    },
    stop: () => end(child),
  };
}

/** Runs a program that prints one line and ends. */
export async function runProgram<Line>(file: string, options: unknown): Promise<Line> {
  const program = startProgram<Line>(file, options);
  try {
    return await program.line();
  } finally {
    await program.stop();
  }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exited;
  clearTimeout(timer);
}

/** Resident memory of a process in bytes, now and at its peak. Linux only. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

/** Processor time that a process has used, in milliseconds (of 10 each). Linux only. */
export function cpuMsOf(pid: number): number {
  // The name in parentheses may hold spaces; user and system time are the 14th and 15th field.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
