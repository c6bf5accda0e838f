import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Terminal } from '../../src/cli/command.ts';
import { runProgram } from '../../src/cli/program.ts';

/** Speaks Prometheus' API: the answer to the first entry that a query contains, else no data. */
let answers: [part: string, value: number][] = [];
let asked: string[] = [];
let server: Server;
let url: string;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-cli-budget-'));
  server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams.get('query') ?? '';
    asked.push(query);
    const value = answers.find(([part]) => query.includes(part))?.[1];
    const result = value === undefined ? [] : [{ metric: {}, value: [0, String(value)] }];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  [answers, asked] = [[], []];
});

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
  const code = await runProgram(terminal, ['budget', ...args]);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const inline = () => ['--url', url, '--error-ratio', 'e[$WINDOW]', '--target', '99.9%', '--window', '30d'];
const sloth = (remaining: number, burn: number): typeof answers => [
  ['slo:objective:ratio', 0.999],
  ['slo:time_period:days', 30],
  ['slo:period_error_budget_remaining:ratio', remaining],
  ['slo:sli_error:ratio_rate', burn * 0.001],
];
const OPENSLO = `apiVersion: openslo/v1
kind: SLO
metadata: {name: cart}
spec:
  service: cart
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{displayName: Ours, target: 0.999}, {displayName: Theirs, target: 0.99}]
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'requests{service="$SERVICE",code=~"5.."}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'requests{service="$SERVICE"}'}}}
`;
const openslo = () => {
  writeFileSync(join(folder, 'slo.yaml'), OPENSLO);
  return join(folder, 'slo.yaml');
};

describe('lynceus budget', () => {
  it.each([
    ['0 where there is enough', 0.0005, 0],
    ['1 where it is spent', 0.002, 1],
    ['2 where a person must agree', 0.0008, 2],
  ])('exits with %s', async (_what, whole, code) => {
    answers = [
      ['e[30d]', whole],
      ['e[', 0],
    ];
    expect((await run(...inline())).code).toBe(code);
  });

  it('exits with 3 where there is no data', async () => {
    const { code, out } = await run(...inline());
    expect(code).toBe(3);
    expect(out).toContain('the query gives no data');
  });

  it('exits with 3 where nobody answers', async () => {
    const { code, out } = await run('--url', 'http://127.0.0.1:1', '--sloth', 'x');
    expect(code).toBe(3);
    expect(out).toContain('error budget: could not be judged');
  });

  it('shows a table of what is left and how it burns, in 80 columns', async () => {
    answers = sloth(0.4, 2);
    const { out } = await run('--url', url, '--sloth', 'shop-cart');
    expect(out).toContain('error budget: a person must agree');
    expect(out).toMatch(/the service +99.9 % +30 d +40 % +low +6 d/);
    // 2 times as fast as allowed for 1 h of 720 takes 0.278 %.
    expect(out).toMatch(/the service +1 h +2.00 +0.27778 %/);
    expect(out).toContain('counted by: Sloth: mean of 5-minute ratios');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(asked).toContain('slo:sli_error:ratio_rate1h{sloth_id="shop-cart"}');
  });

  it('reads the rules of Pyrra by name or by labels', async () => {
    answers = [
      ['pyrra_objective', 0.99],
      ['pyrra_window', 2_419_200],
      ['pyrra_availability', 0.995],
      [':burnrate', 0.001],
    ];
    const { code, out } = await run('--url', url, '--pyrra', 'slo=cart,namespace=shop', '--output', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      answer: 'pass',
      method: 'Pyrra: occurrences',
      remaining: 0.5,
      bucket: 'low',
    });
    expect(asked).toContain('pyrra_objective{slo="cart",namespace="shop"}');
    expect(asked).toContain('{__name__=~".+:burnrate4d",slo="cart",namespace="shop"}');
  });

  it('judges every objective of an OpenSLO file, or the one that is named', async () => {
    answers = [
      ['5..', 500],
      ['requests', 100_000],
    ];
    const both = await run('--url', url, '--openslo', openslo(), '--variable', 'SERVICE=cart', '-o', 'markdown');
    expect(both.code).toBe(1);
    expect(both.out).toContain('| Ours | 99.9 % | 30 d | -400 % | spent |');
    expect(both.out).toContain('| Theirs | 99 % | 30 d | 50 % | low |');
    const one = await run('--url', url, '--openslo', openslo(), '--objective', 'Theirs', '--variable', 'SERVICE=cart');
    expect(one.code).toBe(0);
    expect(asked).toContain('sum(increase(requests{service="cart"}[30d]))');
  });

  it('falls back from rules to the query, and says so', async () => {
    answers = [['e[', 0]];
    const { code, out } = await run(...inline(), '--sloth', 'shop-cart');
    expect(code).toBe(0);
    expect(out).toContain('note: no rules of Sloth for shop-cart');
  });

  it('says what rules there are when nothing is named', async () => {
    answers = [['count(slo:objective:ratio)', 12]];
    const { code, out, err } = await run('--url', url);
    expect(code).toBe(64);
    expect(out).toBe('sloth: rules of 12 objectives\npyrra: the query gives no data');
    expect(err).toContain('Name one: --sloth ID');
  });

  it.each([
    ['nowhere to ask', ['--sloth', 'x'], 'say where the metrics are'],
    ['two tools', ['--url', 'http://x', '--sloth', 'a', '--pyrra', 'b'], 'exclude each other'],
    ['half a budget', ['--url', 'http://x', '--target', '99%'], '--error-ratio, --target and --window go together'],
    [
      'a target of everything',
      ['--url', 'http://x', '--error-ratio', 'e', '--target', '1', '--window', '1d'],
      '--target: write a share',
    ],
    [
      'a window that is none',
      ['--url', 'http://x', '--error-ratio', 'e', '--target', '0.9', '--window', 'soon'],
      '--window: write a duration',
    ],
    [
      'a window of centuries',
      ['--url', 'http://x', '--error-ratio', 'e', '--target', '0.9', '--window', '99999d'],
      '--window: write a duration from 1m to 366d',
    ],
    ['a name that a script forgot to set', ['--url', 'http://x', '--sloth', ''], '--sloth: is empty'],
    ['a variable without a value', ['--url', 'http://x', '--sloth', 'a', '--variable', 'b='], '--variable b: is empty'],
    [
      'an objective of no file',
      ['--url', 'http://x', '--sloth', 'a', '--objective', 'b'],
      '--objective chooses one of',
    ],
    ['events of no ratio', ['--url', 'http://x', '--sloth', 'a', '--total', 'b'], '--total goes with --error-ratio'],
    ['labels without a name', ['--url', 'http://x', '--pyrra', 'team=b'], 'one of the labels is "slo"'],
    [
      'a variable that is none',
      ['--url', 'http://x', '--sloth', 'a', '--variable', 'b'],
      '--variable: write NAME=value',
    ],
    ['a file that is not there', ['--url', 'http://x', '--openslo', '/nowhere.yaml'], '/nowhere.yaml: cannot be read'],
    ['two budgets', ['--url', 'http://x', '--openslo', 'a', '--target', '0.9'], '--openslo states'],
  ])('refuses %s', async (_what, args, message) => {
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([64, '']);
    expect(err).toContain(message);
  });

  it('names the mistakes in an OpenSLO file with their line', async () => {
    writeFileSync(join(folder, 'bad.yaml'), OPENSLO.replace('Occurrences', 'Guesses'));
    const { code, err } = await run('--url', url, '--openslo', join(folder, 'bad.yaml'));
    expect(code).toBe(64);
    expect(err).toContain('bad.yaml:6:20 spec.budgetingMethod');
  });
});
