import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Terminal } from '../../src/cli/command.ts';
import { runProgram } from '../../src/cli/program.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-cli-risk-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal: Terminal = {
    env: {},
    sources: { env: {}, readFile: (path) => readFileSync(path, 'utf8') },
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    stop: new AbortController().signal,
    columns: 200,
    die: () => {
      throw new Error('nothing here dies');
    },
  };
  const code = await runProgram(terminal, ['risk', ...args]);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const CALM = {
  lines: 4,
  files: 1,
  directories: 1,
  commits: 1,
  sensitive: [],
  history: { deployments: 90, failures: 0 },
  hoursSinceFailure: 'none',
  time: 'TU 10:00',
  rollback: false,
  noDifference: false,
};
const signals = (changes: object = {}) => file('signals.json', JSON.stringify({ ...CALM, ...changes }));
const policy = (risk: string, more = '') =>
  file(
    'delivery.yaml',
    `apiVersion: lynceus.dev/v1\nkind: Delivery\nmetadata: {name: shop}\nspec:\n  stages:\n    - {name: production, checks: {risk: ${risk}${more}}}\n    - {name: other}\n`,
  );
const UPGRADE = '{signals: {infrastructure: [{name: upgrade, query: u, above: 0, deny: true}]}}';

describe('lynceus risk', () => {
  it('exits with 0 where a change may be deployed, and shows every contribution in 80 columns', async () => {
    const { code, out } = await run('--signals', signals());
    expect(code).toBe(0);
    expect(out).toMatch(/^risk \d\.\d of 100: low; 59 % of the weight known\n/);
    expect(out).toMatch(/\nhistory +0 of 90 failed in 90 days +-4\.185 +1\.5\n/);
    expect(out).toMatch(/\nit may be deployed$/);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('exits with 2 where people must agree, and says how many and how long it must run', async () => {
    const demands = '{approvalAbove: 99, approval: {high: {quorum: 2}}, soak: {high: 1h}}';
    const { code, out } = await run(
      '--policy',
      policy(demands),
      '--stage',
      'production',
      '--signals',
      signals({ history: { deployments: 9, failures: 9 } }),
    );
    expect(code).toBe(2);
    expect(out).toMatch(/\n2 people must agree\nit must run for 1 h before it is promoted$/);
  });

  it('exits with 1 where a hard rule denies, and with 3 where it could not be read', async () => {
    const stage = ['--policy', policy(UPGRADE), '--stage', 'production'];
    const denied = await run(...stage, '--signals', signals({ infrastructure: { upgrade: 1 } }));
    expect(denied.code).toBe(1);
    expect(denied.out).toMatch(/denied: upgrade 1 is above 0$/);
    const missing = await run(...stage, '--signals', signals());
    expect(missing.code).toBe(3);
    expect(missing.out).toMatch(/could not be judged: upgrade could not be read: not given$/);
    expect((await run(...stage, '--signals', signals({ infrastructure: { upgrade: 0 } }))).code).toBe(0);
  });

  it('says all figures to programs', async () => {
    const { out } = await run('--signals', signals({ alertsFiring: 2 }), '--output', 'json');
    const found = JSON.parse(out);
    expect(found).toMatchObject({ answer: 'pass', level: 'low', unknown: [], model: { origin: 'default' } });
    const logit = found.contributions.reduce(
      (sum: number, one: { logit: number }) => sum + one.logit,
      found.base.logit,
    );
    expect(100 / (1 + Math.exp(-logit))).toBeCloseTo(found.score, 9);
  });

  it('writes Markdown that what it quotes cannot break', async () => {
    const { out } = await run('--signals', signals({ sensitive: ['a | b <img src=x>\n# c'] }), '--output', 'markdown');
    expect(out).toContain('| sensitive paths | a \\| b \\<img src=x\\> # c |');
  });

  it.each<[string, () => string[], RegExp]>([
    ['nothing to assess', () => [], /name what is to be assessed: --from and --to of a repository, or --signals/],
    ['half a way', () => ['--from', 'HEAD'], /--from and --to go together/],
    ['a file that is not there', () => ['--signals', join(folder, 'nowhere')], /nowhere: cannot be read/],
    [
      'a signal that there is not',
      () => ['--signals', file('x.json', '{"lines": 1,\n "line": 2}')],
      /x\.json:2:2 unknown property "line", did you mean "lines"\?/,
    ],
    [
      'more failures than deployments',
      () => ['--signals', file('x.json', '{"history": {"deployments": 1, "failures": 2}}')],
      /history\.failures must not be more than deployments \(1\)/,
    ],
    [
      'a time that is none',
      () => ['--signals', file('x.json', '{"time": "FR 25:00"}')],
      /"FR 25:00" is not a time of the week/,
    ],
    [
      'a probe that the policy has not',
      () => [
        '--policy',
        policy(UPGRADE),
        '--stage',
        'production',
        '--signals',
        file('x.json', '{"infrastructure": {"upgrde": 1}}'),
      ],
      /the policy has no "upgrde", known: upgrade/,
    ],
    [
      'a stage that there is not',
      () => ['--policy', policy('{}'), '--stage', 'prod', '--signals', signals()],
      /has no stage "prod", stages: production, other/,
    ],
    ['a stage of no policy', () => ['--stage', 'production', '--signals', signals()], /name it with --policy/],
    [
      'no stage among several',
      () => ['--policy', policy('{}'), '--signals', signals()],
      /--stage: name one of production, other/,
    ],
    [
      'a policy with a mistake',
      () => ['--policy', policy('{approvalAbove: 200}'), '--signals', signals()],
      /delivery\.yaml:6:\d+ spec\.stages\[0\]\.checks\.risk\.approvalAbove/,
    ],
  ])('exits with 64 and says what would be right for %s', async (_what, args, said) => {
    const { code, err } = await run(...args());
    expect(code).toBe(64);
    expect(err).toMatch(said);
  });
});

describe('lynceus risk in a repository', () => {
  let repository: string;
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', repository, '-c', 'user.email=x@example.com', ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  const commit = (author: string, message: string, files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(repository, path, '..'), { recursive: true });
      writeFileSync(join(repository, path), text);
    }
    git('add', '.');
    git('-c', `user.name=${author}`, 'commit', '--quiet', '-m', message);
  };
  const seen = async (...args: string[]) => {
    const { out } = await run('--repository', repository, '--output', 'json', ...args);
    const { contributions } = JSON.parse(out) as { contributions: { key: string; seen: string }[] };
    return Object.fromEntries(contributions.map(({ key, seen: what }) => [key, what]));
  };
  beforeAll(() => {
    repository = join(folder, 'repository');
    mkdirSync(repository);
    git('init', '--quiet', '--initial-branch=main');
    commit('Ada', 'First', { 'shop/app.yaml': 'image: shop:1.0.0\n' });
    commit('Grace', 'Second', {
      'shop/app.yaml': 'image: shop:2.0.0\nreplicas: 2\n',
      'db/migrations/1.sql': 'select 1;\n',
    });
    commit('Ada', 'Third', { 'shop/app.yaml': 'image: shop:2.0.1\nreplicas: 2\n' });
  });

  it('reads what lies between two revisions', async () => {
    expect(await seen('--from', 'HEAD~2', '--to', 'HEAD~1')).toMatchObject({
      size: '4 changed lines',
      files: '2 files',
      sensitivePaths: 'database migration',
      configAndImage: 'both change at once',
      versionJump: 'major version',
      familiarity: '1 of 1 author new here',
    });
    expect(await seen('--from', 'HEAD~1', '--to', 'main')).toMatchObject({
      configAndImage: 'not both at once',
      versionJump: 'patch version',
      familiarity: 'authors know these parts',
    });
  });

  it('knows a way back', async () => {
    expect(await seen('--from', 'HEAD', '--to', 'HEAD~1')).toMatchObject({
      rollback: 'goes back to what ran before',
      size: '2 changed lines',
      noDifference: 'the files differ',
    });
  });

  it('exits with 3 where there is no such revision or repository, and runs nothing that a name says', async () => {
    expect(await run('--repository', repository, '--from', 'nope', '--to', 'HEAD')).toMatchObject({
      code: 3,
      err: 'there is no commit nope in this repository',
    });
    expect((await run('--repository', folder, '--from', 'a', '--to', 'b')).err).toMatch(
      /there is no Git repository at /,
    );
    expect((await run('--repository', repository, '--from', '--output=/tmp/x', '--to', 'HEAD')).code).toBe(3);
  });
});
