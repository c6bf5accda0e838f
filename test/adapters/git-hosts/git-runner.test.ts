import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runAside } from '../../../src/adapters/git-hosts/git-runner.ts';

const RUNNER = join(import.meta.dirname, '../../../src/adapters/git-hosts/git-runner.ts');
const ORDER = { env: { PATH: '/usr/local/bin:/usr/bin:/bin' }, input: '', timeout: 20_000, maxBuffer: 1024 };
const version = () => runAside({ ...ORDER, args: ['--version'] });

/** A Git server that takes connections and says nothing: whoever asks it waits. */
let server: ReturnType<typeof createServer>;
let callers: Socket[];
let silent: string;
beforeEach(async () => {
  callers = [];
  server = createServer((socket) => {
    socket.on('error', () => {});
    callers.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  silent = `git://127.0.0.1:${(server.address() as AddressInfo).port}/nothing`;
});
afterEach(() => {
  for (const socket of callers) socket.destroy();
  server.close();
});

async function untilAsked(): Promise<Socket> {
  const deadline = Date.now() + 10_000;
  while (callers.length === 0 && Date.now() < deadline) await sleep(20);
  return callers[0] as Socket;
}

/** Processes that one has started and that are still there. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function helperOf(pid: number): number {
  const helpers = childrenOf(pid).filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('helper'));
  expect(helpers).toHaveLength(1);
  return helpers[0] as number;
}

async function untilGone(pid: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (existsSync(`/proc/${pid}`) && Date.now() < deadline) await sleep(50);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
}

describe('git in a process of its own', () => {
  it('answers many at once, each its own', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        runAside({ ...ORDER, args: ['hash-object', '--stdin'], input: `text ${at}` }),
      ),
    );
    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => 0));
    expect(new Set(answers.map(({ stdout }) => Buffer.from(stdout).toString())).size).toBe(20);
  });

  it('says how git ended, and what it wrote', async () => {
    expect(await runAside({ ...ORDER, args: ['no-such-command'] })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no-such-command'),
    });
    expect(await runAside({ ...ORDER, args: ['help', '-a'], maxBuffer: 10 })).toMatchObject({
      code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER',
    });
    expect(await runAside({ ...ORDER, args: ['--version'], env: { PATH: '/nowhere' } })).toMatchObject({
      code: 'ENOENT',
    });
    const late = await runAside({ ...ORDER, args: ['ls-remote', silent], timeout: 200 });
    expect(late).toMatchObject({ code: null, killed: true });
  });

  it('is ended when its answer is no longer wanted', async () => {
    const controller = new AbortController();
    const asked = runAside({ ...ORDER, args: ['ls-remote', silent] }, controller.signal);
    const caller = await untilAsked();
    controller.abort();
    expect(await asked).toMatchObject({ code: 'ABORT_ERR' });
    if (!caller.closed) await once(caller.resume(), 'close');
  });

  it.runIf(process.platform === 'linux')(
    'is missed by nobody for long: who waits is told, and a new one comes',
    async () => {
      const asked = runAside({ ...ORDER, args: ['ls-remote', silent] });
      await untilAsked();
      process.kill(helperOf(process.pid), 'SIGKILL');
      expect(await asked).toMatchObject({ code: 'helper-SIGKILL' });
      expect((await version()).code).toBe(0);
    },
  );

  it.runIf(process.platform === 'linux')('is replaced when it does not answer any more', async () => {
    expect((await version()).code).toBe(0);
    process.kill(helperOf(process.pid), 'SIGSTOP');
    const asked = runAside({ ...ORDER, args: ['--version'], timeout: 100 });
    expect(await asked).toMatchObject({ code: 'helper-SIGKILL' });
    expect((await version()).code).toBe(0);
  });

  it('keeps no command of ours from ending', async () => {
    const script = `import { runAside } from ${JSON.stringify(RUNNER)};
      const { code } = await runAside(${JSON.stringify({ ...ORDER, args: ['--version'] })});
      console.log(code);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
      timeout: 8_000,
    });
    expect(stdout.trim()).toBe('0');
  });

  it.runIf(process.platform === 'linux')('ends when we were killed, once git is done', async () => {
    const script = `import { runAside } from ${JSON.stringify(RUNNER)};
      await runAside(${JSON.stringify({ ...ORDER, args: ['ls-remote', silent] })});`;
    const ours = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
    const caller = await untilAsked();
    const helper = helperOf(ours.pid as number);
    ours.kill('SIGKILL');
    await once(ours, 'exit');
    caller.destroy();
    await untilGone(helper);
  });
});
