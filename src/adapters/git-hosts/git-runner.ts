import { type ChildProcess, fork } from 'node:child_process';
import { extname, join } from 'node:path';
import { codeOf } from '../../base/error-code.ts';

/** What git is to do. */
export interface GitOrder {
  id: number;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  input: string;
  /** Milliseconds. */
  timeout: number;
  /** Bytes of output, at most. */
  maxBuffer: number;
}

/** How git ended. */
export interface GitAnswer {
  id: number;
  /** The exit code, or the name of what went wrong (`ENOENT`); null: it was ended by a signal. */
  code: number | string | null;
  killed: boolean;
  signal: string | null;
  stdout: Uint8Array;
  stderr: string;
}

interface Helper {
  child: ChildProcess;
  waiting: Map<number, (answer: GitAnswer) => void>;
  /** Ends it once there is nothing to do. */
  idle?: NodeJS.Timeout;
}

/** A start takes as long as a few commands; between two looks at a promotion it should not be needed. */
const IDLE_MS = 10_000;
/** The helper ends a git whose time is over. One that does not answer then hangs itself, and another one is started. */
const GRACE_MS = 5_000;
/** It keeps nothing but outputs, which are outside of this. */
const FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=1'];
const FILE = join(import.meta.dirname, `git-helper${extname(import.meta.filename)}`);

let helper: Helper | undefined;
let orders = 0;

/**
 * Runs git in a small process next to this one: to start a process is to copy the page tables of the one that starts it,
 * and everything else waits meanwhile. Never rejects: what went wrong is in the answer.
 */
export function runAside(order: Omit<GitOrder, 'id'>, signal?: AbortSignal): Promise<GitAnswer> {
  const id = ++orders;
  const { promise, resolve } = Promise.withResolvers<GitAnswer>();
  const used = tryToStart();
  if (typeof used === 'string') return Promise.resolve(ended(id, used));
  const stop = () => {
    if (used.child.connected) used.child.send({ stop: id }, () => {});
    settle(used, ended(id, 'ABORT_ERR'));
  };
  signal?.addEventListener('abort', stop, { once: true });
  const late = setTimeout(() => used.child.kill('SIGKILL'), order.timeout + GRACE_MS);
  used.waiting.set(id, (answer) => {
    clearTimeout(late);
    signal?.removeEventListener('abort', stop);
    resolve(answer);
  });
  clearTimeout(used.idle);
  used.child.ref();
  used.child.channel?.ref();
  used.child.send({ ...order, id }, (error) => {
    if (error) settle(used, ended(id, 'EPIPE'));
  });
  return promise;
}

/** The helper, or why there is none. */
function tryToStart(): Helper | string {
  try {
    helper ??= start();
    return helper;
  } catch (error) {
    return codeOf(error);
  }
}

function start(): Helper {
  const child = fork(FILE, [], {
    env: {},
    execArgv: FLAGS,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const started: Helper = { child, waiting: new Map() };
  const over = (code: string, stderr = '') => {
    if (helper === started) helper = undefined;
    for (const id of [...started.waiting.keys()]) settle(started, { ...ended(id, code), stderr });
  };
  child.on('message', (answer: GitAnswer) => settle(started, answer));
  child.on('error', (error) => over(codeOf(error)));
  child.on('exit', (code, signal) =>
    over(`helper-${signal ?? code}`, `fatal: git-helper, which runs git, ended (${signal ?? code})`),
  );
  return started;
}

/** Hands an answer to whoever waits for it, and lets this process end, and the helper, when nobody waits any more. */
function settle(used: Helper, answer: GitAnswer): void {
  const resolve = used.waiting.get(answer.id);
  used.waiting.delete(answer.id);
  if (used.waiting.size === 0) {
    used.child.unref();
    used.child.channel?.unref();
    clearTimeout(used.idle);
    used.idle = setTimeout(() => dismiss(used), IDLE_MS).unref();
  }
  resolve?.(answer);
}

function dismiss(used: Helper): void {
  if (helper === used) helper = undefined;
  if (used.child.connected) used.child.disconnect();
}

function ended(id: number, code: string): GitAnswer {
  return { id, code, killed: false, signal: null, stdout: new Uint8Array(), stderr: '' };
}
