import { spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface Finished {
  code: number | null;
  out: string;
  err: string;
  ms: number;
}

/** Runs `lynceus` as a process of its own, until it ends. */
export function lynceus(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
  /** Ends it as Ctrl-C does, once a condition holds. */
  interruptWhen?: () => boolean,
): Promise<Finished> {
  const began = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...compiledCode(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
    if (interruptWhen?.()) child.kill('SIGINT');
  });
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  return new Promise((resolve) =>
    child.once('close', (code) => resolve({ code, out, err, ms: performance.now() - began })),
  );
}

/** What one run has compiled the next one need not: most of a short command's time. */
function compiledCode(): { NODE_COMPILE_CACHE?: string } {
  const folder = process.env['NODE_COMPILE_CACHE'];
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

/** Runs `lynceus` with nobody who reads what it prints, as behind `| head`. */
export function lynceusUnread(args: readonly string[]): Promise<Pick<Finished, 'code' | 'err'>> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, err })));
}
