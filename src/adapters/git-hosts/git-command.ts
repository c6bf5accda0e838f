import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AdapterError, type FailureReason } from '../../base/adapter-error.ts';
import { codeOf } from '../../base/error-code.ts';
import type { Secret } from '../../base/secret.ts';
import { type GitAnswer, runAside } from './git-runner.ts';

/** Where git is looked for; our own environment is not passed on, it holds secrets. */
const SEARCH_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/run/current-system/sw/bin';
const DEFAULT_TIMEOUT_MS = 30_000;
/** A list of 250 commits or the numstat of a large change stays far below. */
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
const MAX_QUOTED = 300;

export interface GitCommandOptions {
  /** A folder of ours that plays HOME: no one's ~/.gitconfig has a say. */
  home: string;
  /** Who is asked, for messages. */
  name: string;
  /** Further settings; they travel in the environment, so that secrets never show in a process list. */
  settings?: readonly (readonly [key: string, value: string])[];
  /** Masked wherever they turn up in a message. */
  secrets?: readonly Secret[];
}

export interface GitRun {
  /** The repository to work in. */
  gitDir?: string;
  input?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
  maxBytes?: number;
  /** Exit codes that are answers and no failures; 0 always is. */
  answers?: readonly number[];
  environment?: Record<string, string>;
}

export interface GitOutput {
  code: number;
  stdout: Buffer;
  stderr: string;
}

/** Runs git without a shell; throws only AdapterError. */
export type GitCommand = (args: readonly string[], run?: GitRun) => Promise<GitOutput>;

const SETTINGS: readonly (readonly [string, string])[] = [
  ['safe.directory', '*'],
  ['protocol.ext.allow', 'never'],
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.quotePath', 'false'],
  ['credential.helper', ''],
  // A redirect would carry our credentials to another origin.
  ['http.followRedirects', 'false'],
  ['submodule.recurse', 'false'],
  // In the background it would outlive us and hold locks that we cannot explain.
  ['gc.autoDetach', 'false'],
  ['init.defaultBranch', 'main'],
  ['log.showSignature', 'false'],
  ['push.gpgSign', 'false'],
];

/** The git binary in a clean, fixed environment: no shell, no prompts, no foreign configuration or hooks. */
export function createGitCommand(options: GitCommandOptions): GitCommand {
  const environment = fixedEnvironment(options);
  return async (args, run = {}) => {
    await prepareHome(options.home).catch((error: unknown) => {
      throw new AdapterError('unavailable', `${options.name}: the folder for git cannot be written (${codeOf(error)})`);
    });
    if (run.signal?.aborted) throw new AdapterError('cancelled', `${options.name}: git ${args[0]} was given up`);
    return execute(options, { ...environment, ...run.environment }, args, run);
  };
}

async function execute(
  options: GitCommandOptions,
  env: Record<string, string>,
  args: readonly string[],
  run: GitRun,
): Promise<GitOutput> {
  const timeout = run.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const all = run.gitDir === undefined ? args : [`--git-dir=${run.gitDir}`, ...args];
  const order = { args: all, env, input: run.input ?? '', timeout, maxBuffer: run.maxBytes ?? DEFAULT_MAX_BYTES };
  const answer = await runAside(order, run.signal);
  const { code, stderr, stdout: bytes } = answer;
  if (typeof code === 'number' && (code === 0 || (run.answers ?? []).includes(code))) {
    return { code, stdout: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), stderr };
  }
  throw translate(options, answer, args[0] ?? '', timeout);
}

function translate(
  { name, secrets = [] }: GitCommandOptions,
  { code, killed, signal, stderr }: GitAnswer,
  command: string,
  timeoutMs: number,
): AdapterError {
  if (code === 'ABORT_ERR') return new AdapterError('cancelled', `${name}: git ${command} was given up`);
  if (code === 'ENOENT') return new AdapterError('unavailable', `${name}: git is not installed on this machine`);
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
    return new AdapterError('rejected', `${name}: git ${command} answered more than we read`);
  }
  if (killed) return new AdapterError('timeout', `${name}: git ${command} took longer than ${timeoutMs / 1000} s`);
  const words = quotable(stderr, secrets);
  return new AdapterError(
    reasonFor(stderr),
    `${name}: git ${command} failed${words === '' ? ` (${code || (signal ?? 'unknown')})` : `: ${words}`}`,
  );
}

/** What git says in English (LC_ALL=C) when something outside is wrong; anything unknown may pass. */
const REASONS: readonly (readonly [RegExp, FailureReason])[] = [
  [
    /authentication failed|could not read (?:username|password)|terminal prompts disabled|publickey/i,
    'unauthenticated',
  ],
  [/returned error: 401/i, 'unauthenticated'],
  [/returned error: 403|permission denied|insufficient permission|access denied/i, 'forbidden'],
  [/returned error: 429/i, 'rate-limited'],
  [/returned error: 404|repository .*not found|does not appear to be a git repository/i, 'not-found'],
  [/not our ref|not a git repository|bad object|unknown revision|not a valid object|no such remote ref/i, 'not-found'],
  [/timed out/i, 'timeout'],
  [/unrelated histories/i, 'conflict'],
  [/cannot lock ref|\.lock': file exists/i, 'conflict'],
  [/transport '.*' not allowed|unable to find remote helper/i, 'rejected'],
];

function reasonFor(stderr: string): FailureReason {
  for (const [form, reason] of REASONS) if (form.test(stderr)) return reason;
  return 'unavailable';
}

/** The telling part of what git wrote: one line, shortened, without credentials. */
export function quotable(stderr: string, secrets: readonly Secret[]): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const telling =
    lines.find((line) => /^(?:fatal|error|remote: (?:error|fatal)):/.test(line)) ?? lines.find(Boolean) ?? '';
  let text = telling.replace(/\/\/[^/\s]*@/g, '//').replace(/\p{Cc}/gu, ' ');
  for (const secret of secrets) {
    if (secret.reveal() !== '') text = text.replaceAll(secret.reveal(), '<secret>');
  }
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}...` : text;
}

function fixedEnvironment(options: GitCommandOptions): Record<string, string> {
  const settings = [...SETTINGS, ...(options.settings ?? [])];
  return {
    PATH: SEARCH_PATH,
    HOME: options.home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_SSH_COMMAND: 'ssh -o BatchMode=yes',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value],
      ]),
    ),
  };
}

/**
 * Settings in the environment do not reach the other end of a push to a path on this machine; that one
 * reads HOME. Only the owner check is lifted there: a repository's own hooks run as for any push.
 */
async function prepareHome(home: string): Promise<void> {
  // Every time: the cache folder may be emptied while we run.
  await mkdir(home, { recursive: true, mode: 0o700 });
  const text = '[safe]\n\tdirectory = *\n';
  await writeFile(join(home, '.gitconfig'), text, { flag: 'wx' }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}
