import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Terminal } from '../../src/cli/command.ts';
import { runProgram } from '../../src/cli/program.ts';
import { bearer, type HttpWorld, startHttpWorld, TOKENS } from '../support/http-world.ts';

const root = path.resolve(import.meta.dirname, '../..');
const COMMIT = 'ab'.repeat(20);
const DIGEST = `sha256:${'d'.repeat(64)}`;

/** The command in this process, with an environment of its own. */
async function lynceus(args: readonly string[], env: Record<string, string> = {}, files: Record<string, string> = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const readFile = (name: string) => files[name] ?? fail(name);
  const terminal: Terminal = {
    env,
    sources: { env, readFile },
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    stop: new AbortController().signal,
    columns: 80,
    die: () => fail('died'),
  };
  const code = await runProgram(terminal, ['report', ...args]);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

function fail(what: string): never {
  throw new Error(what);
}

/** Flags, because the variables of this process are those of the tests. */
function as(env: Record<string, string>, args: readonly string[]) {
  const { LYNCEUS_SERVER: server = '', LYNCEUS_TOKEN: token = '' } = env;
  return lynceus([...args, '--server', server, '--token', token], env);
}

const dryRun = async (args: readonly string[], env: Record<string, string>, files: Record<string, string> = {}) =>
  JSON.parse((await lynceus([...args, '--dry-run'], env, files)).out) as Record<string, unknown>;

describe('lynceus report knows from the environment of', () => {
  const github = {
    GITHUB_ACTIONS: 'true',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'acme/checkout',
    GITHUB_SHA: COMMIT,
    GITHUB_ACTOR: 'ada',
    GITHUB_RUN_ID: '77',
    GITHUB_RUN_ATTEMPT: '2',
  };

  it.each<[string, Record<string, string>, object]>([
    [
      'GitHub Actions',
      github,
      {
        commit: COMMIT,
        service: 'checkout',
        repository: 'https://github.com/acme/checkout',
        author: { name: 'ada', login: 'ada' },
        run: { id: '77', attempt: 2, url: 'https://github.com/acme/checkout/actions/runs/77' },
      },
    ],
    [
      'GitLab CI',
      {
        GITLAB_CI: 'true',
        CI_COMMIT_SHA: COMMIT,
        CI_PROJECT_URL: 'https://gitlab.example.com/a/shop/checkout',
        CI_REPOSITORY_URL: 'https://gitlab-ci-token:secret@gitlab.example.com/a/shop/checkout.git',
        CI_COMMIT_AUTHOR: 'Ada <ada@example.com>',
        GITLAB_USER_LOGIN: 'ada',
        CI_COMMIT_TITLE: 'Retry card timeouts',
        CI_PIPELINE_ID: '8',
        CI_PIPELINE_URL: 'https://gitlab.example.com/a/shop/checkout/-/pipelines/8',
        CI_MERGE_REQUEST_IID: '5',
      },
      {
        commit: COMMIT,
        service: 'checkout',
        repository: 'https://gitlab.example.com/a/shop/checkout',
        pullRequest: 'https://gitlab.example.com/a/shop/checkout/-/merge_requests/5',
        author: { name: 'Ada', login: 'ada' },
        title: 'Retry card timeouts',
        run: { id: '8', url: 'https://gitlab.example.com/a/shop/checkout/-/pipelines/8' },
      },
    ],
    [
      'Azure Pipelines',
      {
        TF_BUILD: 'True',
        SYSTEM_COLLECTIONURI: 'https://dev.azure.com/acme/',
        SYSTEM_TEAMPROJECT: 'The Shop',
        BUILD_BUILDID: '12',
        BUILD_SOURCEVERSION: COMMIT,
        BUILD_SOURCEVERSIONMESSAGE: 'Retry card timeouts\n\nbecause',
        BUILD_REQUESTEDFOR: 'Ada',
        BUILD_REPOSITORY_URI: 'https://ada@dev.azure.com/acme/The%20Shop/_git/checkout',
      },
      {
        commit: COMMIT,
        service: 'checkout',
        repository: 'https://dev.azure.com/acme/The%20Shop/_git/checkout',
        title: 'Retry card timeouts',
        run: { id: '12', url: 'https://dev.azure.com/acme/The%20Shop/_build/results?buildId=12' },
      },
    ],
    [
      'Jenkins',
      {
        JENKINS_URL: 'https://ci.example.com',
        GIT_COMMIT: COMMIT,
        GIT_URL: 'git@github.com:acme/checkout.git',
        BUILD_TAG: 'jenkins-checkout-3',
        BUILD_URL: 'https://ci.example.com/job/checkout/3/',
        JOB_NAME: 'checkout',
      },
      {
        commit: COMMIT,
        service: 'checkout',
        repository: 'git@github.com:acme/checkout.git',
        run: { id: 'jenkins-checkout-3' },
      },
    ],
    ['nothing at all', {}, { source: 'pipeline' }],
  ])('%s', async (_, env, facts) => {
    const said = await dryRun(['build', '--state', 'started'], env);
    expect(said).toMatchObject({ kind: 'build', state: 'started', ...facts });
    expect(JSON.stringify(said)).not.toContain('secret');
  });

  it('GitHub the commit at the head of a pull request, which is not the merge that it tests', async () => {
    const event = {
      pull_request: {
        html_url: 'https://github.com/acme/checkout/pull/4',
        title: 'Retry',
        head: { sha: '9'.repeat(40) },
      },
    };
    const env = { ...github, GITHUB_EVENT_PATH: '/event.json' };
    expect(await dryRun(['build'], env, { '/event.json': JSON.stringify(event) })).toMatchObject({
      commit: '9'.repeat(40),
      pullRequest: 'https://github.com/acme/checkout/pull/4',
      title: 'Retry',
    });
    expect(await dryRun(['build'], env, { '/event.json': '[broken' })).toMatchObject({ commit: COMMIT });
  });

  it('what flags say wins, and an empty flag says nothing', async () => {
    const said = await dryRun(['build', '--commit', '8'.repeat(40), '--service', '', '--step', '2/4:go test'], github);
    expect(said).toMatchObject({
      commit: '8'.repeat(40),
      service: 'checkout',
      step: { name: 'go test', number: 2, of: 4 },
    });
  });
});

describe('lynceus report', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld();
  });
  afterAll(() => world.stop());
  const send = (args: readonly string[], env: Record<string, string> = {}) =>
    as({ LYNCEUS_SERVER: world.url, LYNCEUS_TOKEN: TOKENS.REPORTER, ...env }, args);

  it('reports, and says so in one line', async () => {
    const done = await send(['image', '--service', 'checkout', '--digest', DIGEST, '--commit', COMMIT]);
    expect(done).toEqual({ code: 0, out: 'Reported image finished of checkout', err: '' });
  });

  it('breaks no build where nobody answers or it was wrong, unless that is wished for', async () => {
    const away = { LYNCEUS_SERVER: 'http://127.0.0.1:1' };
    const args = ['build', '--retry-for', '0s'];
    expect(await send(args, away)).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^Warning: not reported: .* cannot be reached/),
    });
    expect((await send([...args, '--strict'], away)).code).toBe(1);
    expect(await send([...args, '--digest', '1.8.2'])).toMatchObject({
      code: 0,
      err: expect.stringContaining('digest must be sha256:'),
    });
    expect(await send(args, { LYNCEUS_TOKEN: 'wrong-token-0123456789' })).toMatchObject({
      code: 0,
      err: expect.stringContaining('401'),
    });
    expect((await send(['lunch'])).code).toBe(64);
    expect((await send([])).code).toBe(64);
  });

  it('tries again what passes by itself, as the same report', async () => {
    const ids: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        ids.push((JSON.parse(body) as { id: string }).id);
        response.statusCode = ids.length === 1 ? 503 : 202;
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect((await send(['build'], { LYNCEUS_SERVER: url })).code).toBe(0);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('tells in a self-test what a report would be joined to, and keeps nothing', async () => {
    const before = await world.events();
    const good = await send(['build', '--self-test', '--service', 'search', '--commit', COMMIT]);
    expect(good.code).toBe(0);
    expect(good.out).toMatch(/Joins no delivered change yet\.\nUntil it is delivered it is change [0-9a-f-]{36}\./);
    const loose = await send(['image', '--self-test', '--service', 'search', '--image', 'ghcr.io/acme/search:4.2.0']);
    expect(loose).toMatchObject({
      code: 1,
      err: expect.stringContaining('name image tag 4.2.0 without digest): add --digest'),
    });
    const early = await send(['build', '--self-test'], { LYNCEUS_TOKEN: TOKENS.READER });
    expect(early).toMatchObject({ code: 1, err: expect.stringContaining('403') });
    expect(await world.events()).toBe(before);
  });

  it.each(['github-actions.yml', 'gitlab-ci.yml', 'azure-pipelines.yml', 'Jenkinsfile'])(
    'works as examples/ci/%s has it, command by command',
    async (file) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'lynceus-ci-'));
      const runner = await startRunner();
      try {
        const before = await reported(world);
        const { scripts, env } = exampleOf(file);
        expect(scripts.length).toBeGreaterThanOrEqual(4);
        const own = {
          ...CI[file],
          LYNCEUS_SERVER: world.url,
          LYNCEUS_TOKEN: TOKENS.REPORTER,
          LYNCEUS_IMAGE: 'lynceus:test',
        };
        stubs(folder, runner.url);
        for (const script of scripts) {
          const said = await promisify(execFile)('bash', ['-e', '-c', script], {
            cwd: folder,
            env: { ...process.env, ...expanded(env, own), PATH: `${folder}:${process.env['PATH']}` },
          });
          expect(said.stdout + said.stderr, script).not.toMatch(/not reported|Warning/i);
        }
        const reports = (await reported(world)).slice(before.length);
        const told = reports.map(({ kind, state }) => `${kind} ${state}`);
        expect(told).toEqual(
          expect.arrayContaining(['build started', 'build finished', 'image finished', 'manifest finished']),
        );
        for (const report of reports) {
          expect(report).toMatchObject({ service: 'checkout', project: 'shop', commit: COMMIT, run: { id: '77' } });
        }
        expect(reports.find(({ kind }) => kind === 'manifest')).toMatchObject({
          digest: DIGEST,
          manifestCommit: 'cd'.repeat(20),
        });
      } finally {
        await runner.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

/** What each system sets by itself. */
const CI: Record<string, Record<string, string>> = {
  'github-actions.yml': {
    GITHUB_ACTIONS: 'true',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'acme/checkout',
    GITHUB_SHA: COMMIT,
    GITHUB_ACTOR: 'ada',
    GITHUB_RUN_ID: '77',
    GITHUB_RUN_ATTEMPT: '1',
  },
  'gitlab-ci.yml': {
    GITLAB_CI: 'true',
    CI_COMMIT_SHA: COMMIT,
    CI_PROJECT_URL: 'https://gitlab.example.com/acme/checkout',
    CI_PIPELINE_ID: '77',
    CI_PIPELINE_URL: 'https://gitlab.example.com/acme/checkout/-/pipelines/77',
    CI_JOB_STATUS: 'success',
    GITLAB_USER_LOGIN: 'ada',
  },
  'azure-pipelines.yml': {
    TF_BUILD: 'True',
    BUILD_BUILDID: '77',
    BUILD_SOURCEVERSION: COMMIT,
    BUILD_REPOSITORY_NAME: 'checkout',
  },
  Jenkinsfile: {
    JENKINS_URL: 'https://ci.example.com',
    BUILD_TAG: '77',
    BUILD_URL: 'https://ci.example.com/77',
    GIT_COMMIT: COMMIT,
    JOB_NAME: 'checkout',
  },
};

/** All commands of an example in the order in which they stand there, and the variables that it sets. */
function exampleOf(file: string): { scripts: string[]; env: Record<string, string> } {
  const text = readFileSync(path.join(root, 'examples/ci', file), 'utf8');
  if (file === 'Jenkinsfile') {
    const scripts = [...text.matchAll(/\bsh (?:'''([\s\S]*?)'''|'([^'\n]*)')/g)];
    const env = [...text.matchAll(/^\s+(\w+) = "(.*)"$/gm)].map(([, name, value]) => [name, value]);
    return {
      scripts: scripts.map(([, long, short]) => (long ?? short ?? '').replaceAll('\\\\', '\\')),
      env: Object.fromEntries(env),
    };
  }
  const document = parse(text) as Record<string, unknown>;
  const scripts: string[] = [];
  const env: Record<string, string> = {};
  const texts = (value: unknown) => (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');
  JSON.stringify(document, (key, value: unknown) => {
    if (['run', 'bash', 'script', 'before_script', 'after_script'].includes(key)) scripts.push(...texts(value));
    if (key === 'env' || (key === 'variables' && !Array.isArray(value))) Object.assign(env, value);
    return value;
  });
  for (const { name, value } of Array.isArray(document['variables']) ? document['variables'] : [])
    if (name) env[name] = value;
  return { scripts, env };
}

/** Variables as the system hands them to a script; what it sets itself wins. */
function expanded(env: Record<string, string>, own: Record<string, string>): Record<string, string> {
  const values = Object.entries(env).map(([name, value]) => [
    name,
    String(value).replace(
      /\$\{\{ *(?:vars|secrets)\.(\w+) *\}\}|\$\((\w+)\)|\$\{?(\w+)\}?/g,
      (_, a, b, c) => own[a ?? b ?? c] ?? '',
    ),
  ]);
  return { ...Object.fromEntries(values), ...own };
}

/** `docker run` and the image's own file lead to the command in this process; `make` is the team's own build. */
function stubs(folder: string, runner: string): void {
  const call = `{ printf '%s\\0' "$0" "$@"; printf '\\0'; env -0; } | curl -sS --fail --data-binary @- ${runner}`;
  write('docker', call);
  write('node', call);
  write('make', `echo ${DIGEST} > digest; echo ${'cd'.repeat(20)} > manifest-commit`);
  function write(name: string, script: string) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
}

/** Runs the commands that the stubs tell of; a container sees only the variables that it is given. */
async function startRunner() {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', async () => {
      const [words = '', variables = ''] = body.split('\0\0');
      const [tool = '', ...args] = words.split('\0');
      const all = Object.fromEntries(variables.split('\0').map((one) => one.split(/=(.*)/s, 2)));
      const image = args.indexOf('lynceus:test');
      const names = args.slice(0, image).filter((_, at) => args[at - 1] === '-e');
      const given = Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
      const isDocker = tool.endsWith('docker');
      const [, ...command] = isDocker ? args.slice(image + 1) : args.slice(1);
      const { code, out, err } = await as(isDocker ? given : all, command);
      response.statusCode = code === 0 ? 200 : 500;
      response.end(out + err);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function reported(world: HttpWorld): Promise<{ kind: string; state: string }[]> {
  const answer = await world.get('/api/v1/events?stream=inbox&limit=1000', bearer(TOKENS.READER));
  const { events } = (await answer.json()) as {
    events: { type: string; data: { data: { kind: string; state: string } } }[];
  };
  return events.filter(({ type }) => type === 'dev.lynceus.step.reported.v1').map(({ data }) => data.data);
}
