#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { EXIT, type Terminal } from './cli/command.ts';

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
  die: () => {
    process.kill(process.pid, 'SIGKILL');
    // Not reached: the signal cannot be caught.
    process.exit(EXIT.failed);
  },
};

async function main(args: readonly string[]): Promise<number> {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    terminal.err(
      `Lynceus needs Node ${OLDEST_NODE} or newer, this is ${process.versions.node}: use "npm start", which brings its own.`,
    );
    return EXIT.failed;
  }
  // Only now: an older Node does not even have what the rest imports.
  const { runProgram } = await import('./cli/program.ts');
  return runProgram(terminal, args);
}

process.exitCode = await main(process.argv.slice(2));
