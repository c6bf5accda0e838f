#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { EXIT, type Terminal } from './cli/command.ts';
import { watchForIdleness } from './cli/idle.ts';

const OLDEST_NODE = 24;

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());

/** As a shell counts a program that SIGPIPE ended: whoever reads has gone away (`| head`), which is no success either. */
const READER_GONE = 141;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? READER_GONE : EXIT.failed),
  );

// From sources, the types of the browser's module are taken off by a part of Node that calls itself experimental.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.stack ?? warning.message}\n`);
});

const terminal: Terminal = {
  env: process.env,
  sources: { env: process.env, readFile: (path) => readFileSync(path, 'utf8') },
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  stop: stop.signal,
  columns: process.stdout.columns ?? 120,
  ...(process.stdout.isTTY === true ? { rows: process.stdout.rows ?? 24 } : {}),
  colours: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
  readStdin: () => readFileSync(process.stdin.fd, 'utf8'),
  serving: () => {
    favourSize(false);
    watchForIdleness(favourSize);
  },
  die: () => {
    process.kill(process.pid, 'SIGKILL');
    // Not reached: the signal cannot be caught.
    process.exit(EXIT.failed);
  },
};

/**
 * Where a machine has much memory, V8 lets garbage grow to several times what lives, and hands little of it back. Set here,
 * so that it holds however the service is started. None is a limit: a larger fleet takes what it needs.
 */
function keepHeapSmall(): void {
  // What a busy moment keeps for long V8 makes among the old objects from then on: that keeps alive whatever it points at,
  // until the whole heap is looked through, several times a second. Up to half of the starts ran a third slower for good.
  setFlagsFromString('--no-allocation-site-pretenuring');
  // The whole heap is looked through whenever it has grown by 35 %. At 20 % one request in twenty waits for it.
  setFlagsFromString('--heap-growing-percent=35');
  // Until it serves: loading leaves as much behind as it keeps.
  favourSize(true);
}

/**
 * Requests would pay for this with a third more processor time. While there are none, it has V8 hand back what it took for
 * those before, in two rounds of some 50 ms. By itself V8 would do so where little is allocated; but of the three rates that
 * it asks for one is always 0 in Node 24, which it takes for the highest: it would keep 40 MB for good.
 */
function favourSize(isWanted: boolean): void {
  setFlagsFromString(isWanted ? '--optimize-for-size' : '--no-optimize-for-size');
}

async function main(args: readonly string[]): Promise<number> {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    terminal.err(
      `Lynceus needs Node ${OLDEST_NODE} or newer, this is ${process.versions.node}: use "npm start", which brings its own.`,
    );
    return EXIT.failed;
  }
  if (args[0] === 'serve') keepHeapSmall();
  // Only now: an older Node does not even have what the rest imports.
  const { runProgram } = await import('./cli/program.ts');
  return runProgram(terminal, args);
}

process.exitCode = await main(process.argv.slice(2));
