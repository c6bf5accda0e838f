import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Terminal } from '../../src/cli/command.ts';
import { runProgram } from '../../src/cli/program.ts';
import { createTally, expectLike, readVectors } from '../conformance/vectors.ts';
import { lynceus } from '../support/cli.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-cli-evaluate-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  code: number;
  out: string;
  err: string;
}

async function run(args: readonly string[], more: Partial<Terminal> = {}): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  const env = more.env ?? {};
  const terminal: Terminal = {
    env,
    sources: { env, readFile: (path) => readFileSync(path, 'utf8') },
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    stop: new AbortController().signal,
    columns: 200,
    die: () => {
      throw new Error('nothing here dies');
    },
    ...more,
  };
  const code = await runProgram(terminal, ['evaluate', ...args]);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

function file(name: string, content: unknown): string {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return join(folder, name);
}

const SLO = `comparison: {compare_with: single_result, include_result_with_score: pass}
objectives:
  - {sli: error_rate, key_sli: true, pass: [{criteria: ["<=0.01"]}]}
  - {sli: p95, displayName: Response time, weight: 2, pass: [{criteria: ["<300", "<=+10%"]}], warning: [{criteria: ["<400"]}]}
total_score: {pass: "90%", warning: "50%"}
`;
const judge = (values: unknown, ...more: string[]) =>
  run(['--slo', file('slo.yaml', SLO), '--values', file('values.json', values), ...more]);

describe('lynceus evaluate', () => {
  it.each([
    [0, 'pass', { error_rate: 0, p95: 100 }, 'PASS  score 100 of 100 (pass from 90, warning from 50)'],
    [2, 'warning', { error_rate: 0, p95: 350 }, 'WARNING  score 66.66'],
    [1, 'a key objective fails', { error_rate: 1, p95: 100 }, 'decides alone: "error_rate" (value 1)'],
    [1, 'a measured fail beside a missing value', { error_rate: 1 }, 'decides alone'],
    [3, 'a missing key value', { p95: 100 }, 'COULD NOT BE JUDGED'],
    [3, 'a value that is none', { error_rate: null, p95: 100 }, 'the file says that it has none'],
    [3, 'no values at all', {}, 'for want of data: "error_rate" (no value was read), "Response time"'],
    [
      3,
      'a failed reading',
      [
        { metric: 'error_rate', success: false, message: 'timeout' },
        { metric: 'p95', value: 1, success: true },
      ],
      '(timeout)',
    ],
  ])('exits with %i: %s', async (expected, _why, values, said) => {
    const { code, out, err } = await judge(values);
    expect(out.replaceAll('\n', ' ')).toContain(said);
    expect([code, err]).toEqual([expected, '']);
  });

  it('shows a table of 80 columns in a log', async () => {
    const { out } = await judge({ error_rate: 0, p95: 350 });
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(out).toMatch(/^error_rate \(key\) +0 +<=0\.01 +pass 1\/1$/m);
    expect(out).toMatch(/^Response time +350 +<300 missed, <=\+10% +warning 1\/2$/m);
  });

  it('has colours at a terminal only', async () => {
    const args = ['--slo', file('slo.yaml', SLO), '--values', file('values.json', { error_rate: 0, p95: 1 })];
    expect((await run(args)).out).not.toContain('\u001b');
    expect((await run(args, { colours: true })).out).toContain('\u001b[1;32mPASS\u001b[0m');
  });

  it('reads a file from standard input, once', async () => {
    const stdin = { readStdin: () => '{"error_rate": 0, "p95": 1}' };
    const slo = file('slo.yaml', SLO);
    expect((await run(['--slo', slo, '--values', '-'], stdin)).code).toBe(0);
    expect(await run(['--slo', '-', '--values', '-'], stdin)).toMatchObject({
      code: 64,
      err: 'only one file can be "-"',
    });
    expect(await run(['--slo', slo, '--values', '-'])).toMatchObject({
      code: 64,
      err: 'standard input: cannot be read',
    });
  });

  describe('with reports', () => {
    const LOAD = {
      metrics: {
        http_req_duration: {
          type: 'trend',
          contains: 'time',
          values: { avg: 12, min: 1, med: 10, max: 50, 'p(95)': 42 },
        },
        http_req_failed: { type: 'rate', contains: 'default', values: { rate: 0.5, passes: 50, fails: 50 } },
        http_reqs: { type: 'counter', contains: 'default', values: { count: 100, rate: 10 } },
      },
    };
    const scan = (severity: string) => ({
      SchemaVersion: 2,
      ArtifactName: 'shop/cart:1.2.3',
      Results: [
        {
          Target: 'debian',
          Class: 'os-pkgs',
          Type: 'debian',
          Packages: [{ Name: 'openssl' }],
          Vulnerabilities: [{ VulnerabilityID: 'CVE-1', Severity: severity }],
        },
      ],
    });
    const slo = (sli: string, criteria: string) =>
      file(
        'report-slo.yaml',
        `objectives: [{sli: "${sli}", pass: [{criteria: ["${criteria}"]}]}]\ntotal_score: {pass: 90}\n`,
      );
    const load = () => `load=${file('load.json', LOAD)}`;

    it('takes the figure that an objective is named after', async () => {
      expect(await run(['--slo', slo('response_time_p95', '<=42'), '--report', load()])).toMatchObject({ code: 0 });
      expect(await run(['--slo', slo('error_rate', '<0.5'), '--report', load()])).toMatchObject({ code: 1 });
    });

    it('asks them by name as sli.yaml says, and sums two scanners', async () => {
      const sources = '[{provider: first, query: critical+high}, {provider: second, query: critical+high}]';
      const sli = file('report-sli.yaml', `indicators: {findings: {sources: ${sources}, aggregate: sum}}\n`);
      const [first, second] = [file('first.json', scan('HIGH')), file('second.json', scan('CRITICAL'))];
      const reports = ['--report', `first=${first}`, '--report', `second=${second}`];
      expect((await run(['--slo', slo('findings', '<=1'), '--sli', sli, ...reports])).out).toContain('2');
      expect(await run(['--slo', slo('findings', '<=2'), '--sli', sli, ...reports])).toMatchObject({ code: 0 });
      expect(await run(['--slo', slo('findings', '<=2'), '--sli', sli, ...reports.slice(2)])).toMatchObject({
        code: 64,
        err: expect.stringContaining('the metrics source first is not configured'),
      });
    });

    it('could not judge a figure that no report has', async () => {
      expect(await run(['--slo', slo('availability', '>0'), '--report', load()])).toMatchObject({ code: 3 });
    });

    it.each([
      [['load'], 'write name=file'],
      [['load=missing.json'], 'cannot be read'],
      [['a=', 'b'], 'write name=file'],
    ])('refuses %j', async (reports, said) => {
      const args = ['--slo', slo('error_rate', '<1'), ...reports.flatMap((one) => ['--report', one])];
      const { code, err } = await run(args);
      expect([code, err]).toEqual([64, expect.stringContaining(said)]);
    });

    it('refuses a report of no known format, and the same name twice', async () => {
      const objectives = slo('error_rate', '<1');
      expect(await run(['--slo', objectives, '--report', `x=${file('x.json', { a: 1 })}`])).toMatchObject({ code: 64 });
      expect(await run(['--slo', objectives, '--report', load(), '--report', load()])).toMatchObject({
        code: 64,
        err: expect.stringContaining('is given twice'),
      });
    });
  });

  it('compares with what it printed before', async () => {
    const first = await judge({ error_rate: 0, p95: 100 }, '--output', 'json');
    const previous = file('previous.json', first.out);
    const second = await judge({ error_rate: 0, p95: 111 }, '--previous', previous, '--output', 'json');
    expect(JSON.parse(second.out)).toMatchObject({
      result: 'warning',
      compared: ['earlier 1'],
      indicators: [{}, { comparedValue: 100, change: 11, passTargets: [{}, { targetValue: 110, violated: true }] }],
    });
  });

  it("compares with Keptn's events", async () => {
    const event = (id: string, result: string, value: number) => ({
      id,
      data: {
        result,
        evaluation: { indicatorResults: [{ value: { metric: 'p95', value, success: true } }, { value: null }] },
      },
    });
    const previous = file('previous.json', [event('e2', 'fail', 1), event('e1', 'pass', 200)]);
    const { out } = await judge({ error_rate: 0, p95: 210 }, '--previous', previous, '--output', 'json');
    expect(JSON.parse(out)).toMatchObject({
      result: 'pass',
      compared: ['e1'],
      indicators: [{}, { comparedValue: 200 }],
    });
  });

  it('says the unit, and whether a change is for the worse', async () => {
    const sli = file(
      'sli.yaml',
      'indicators: {p95: {pushed: true, unit: ms, better: lower}, error_rate: {pushed: true}}\n',
    );
    const previous = file('previous.json', { result: 'pass', indicators: [{ sli: 'p95', value: 100 }] });
    const { out } = await judge({ error_rate: 0, p95: 105 }, '--previous', previous, '--sli', sli);
    expect(out).toMatch(/Response time +105 ms +100 worse/);
  });

  it('counts a value of too few samples as none', async () => {
    const sli = file('sli.yaml', 'indicators: {p95: {query: q, minimumSamples: {query: n, count: 100}}}\n');
    const { code, out } = await judge({ error_rate: 0, p95: { value: 1, samples: 99 } }, '--sli', sli);
    expect([code, out]).toEqual([3, expect.stringContaining('it has 99 samples, and needs 100')]);
  });

  it.each([
    [0, [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]],
    [1, [30, 31, 32, 33, 34, 35, 36, 37, 38, 39]],
    [3, []],
  ])('compares with a control group: exits with %i', async (expected, experiment) => {
    const slo = file(
      'slo.yaml',
      'objectives: [{sli: p95, control: {failOn: increase, critical: true}}]\ntotal_score: {pass: 90}\n',
    );
    const values = file('values.json', { p95: { experiment, control: [10, 11, 12, 13, 14, 15, 16, 17, 18, 19] } });
    expect((await run(['--slo', slo, '--values', values])).code).toBe(expected);
  });

  it('speaks Markdown that nobody can break out of', async () => {
    const slo = file('slo.yaml', SLO.replace('Response time', '"| @admin <b>#1</b> [x](http://evil)"'));
    const values = file('values.json', { error_rate: 0, p95: 350 });
    const { out } = await run(['--slo', slo, '--values', values, '--service', '@ops', '--output', 'markdown']);
    expect(out).toContain('**warning 66.6/100**');
    for (const raw of ['<b>', '@admin', '@ops', '#1', 'http://evil', '\n| |']) expect(out).not.toContain(raw);
  });

  it('tells Markdown readers that it could not be judged', async () => {
    expect((await judge({ p95: 1 }, '--output', 'markdown')).out).toContain('could not be judged: data is missing');
  });

  it('has a JUnit case for each objective: a failure, an error for missing data, or green', async () => {
    const slo = file(
      'slo.yaml',
      SLO.replace('Response time', '"<&\\"\\u0007"').replace(
        'objectives:',
        'objectives:\n  - {sli: info}\n  - {sli: gone, pass: [{criteria: ["<1"]}]}',
      ),
    );
    const values = file('values.json', { error_rate: 1, p95: 450 });
    const { out, code } = await run(['--slo', slo, '--values', values, '--output', 'junit']);
    expect(code).toBe(1);
    expect(out).toContain('tests="4" failures="2" errors="1" skipped="1"');
    expect(out).toContain(
      '<testcase classname="slo.p95" name="&lt;&amp;&quot;"><failure message="450: must be &lt;300"/>',
    );
    expect(out).toContain('<testcase classname="slo.gone" name="gone"><error message="no value: no value was read"/>');
  });

  it('is not green in JUnit when warnings alone fail it', async () => {
    const slo = file('slo.yaml', SLO.replace('warning: "50%"', 'warning: "80%"'));
    const values = file('values.json', { error_rate: 0, p95: 350 });
    const { out, code } = await run(['--slo', slo, '--values', values, '--output', 'junit']);
    expect([code, out]).toEqual([1, expect.stringContaining('failures="1"')]);
  });

  const slo = () => file('slo.yaml', SLO);
  it.each([
    ['no file with objectives', () => ['--values', file('v.json', {})], '--slo: name the file'],
    ['nothing to judge', () => ['--slo', slo()], 'say where the numbers come from'],
    ['a file that is not there', () => ['--slo', '/nowhere/slo.yaml'], '/nowhere/slo.yaml: cannot be read'],
    [
      'a mistake in slo.yaml',
      () => ['--slo', file('bad.yaml', SLO.replace('<=0.01', '<=1ms'))],
      /bad\.yaml:3:\d+ objectives\[0\]\.pass\[0\]\.criteria\[0\] "<=1ms" is not a criterion/,
    ],
    [
      'a mistake in sli.yaml',
      () => ['--slo', slo(), '--sli', file('sli.yaml', 'indicators: {a: 1}')],
      'sli.yaml:1:17 indicators.a must be',
    ],
    [
      'values that are not JSON',
      () => ['--slo', slo(), '--values', file('v.json', '{"a": }')],
      'v.json:1:7 this is not JSON',
    ],
    [
      'a number that stands there twice',
      () => ['--slo', slo(), '--values', file('v.json', '{"p95": 900,\n "p95": 1}')],
      'v.json:2:2 the key "p95" stands here twice',
    ],
    [
      'a reading that stands there twice',
      () => [
        '--slo',
        slo(),
        '--values',
        file('v.json', [
          { metric: 'p95', value: 1, success: true },
          { metric: 'p95', value: 900, success: true },
        ]),
      ],
      'v.json: p95 stands there twice',
    ],
    [
      'a name that a script forgot to set',
      () => [
        '--slo',
        slo(),
        '--sli',
        file('sli.yaml', 'indicators: {p95: "up{s=\\"$SERVICE\\"}"}'),
        '--url',
        'http://127.0.0.1:1',
        '--service',
        '',
      ],
      '--service: is empty',
    ],
    [
      'a label that a script forgot to set',
      () => ['--slo', slo(), '--values', file('v.json', {}), '--label', 'team='],
      '--label team: is empty',
    ],
    [
      'values that are text',
      () => ['--slo', slo(), '--values', file('v.json', { p95: '1' })],
      'v.json: p95 must be a number',
    ],
    [
      'values of another shape',
      () => ['--slo', slo(), '--values', file('v.json', [{ metric: 'a', value: 'x' }])],
      '[0].value must be a number',
    ],
    [
      'a history of another shape',
      () => ['--slo', slo(), '--values', file('v.json', {}), '--previous', file('p.json', [{ id: 'x' }])],
      '[0] must be {id, data}',
    ],
    [
      'a label without a value',
      () => ['--slo', slo(), '--values', file('v.json', {}), '--label', 'x'],
      '--label x: write key=value',
    ],
    [
      'an end and a length',
      () => ['--slo', slo(), '--values', file('v.json', {}), '--end', '2026-01-01T00:00:00Z', '--timeframe', '5m'],
      'exclude each other',
    ],
    [
      'a time that is none',
      () => ['--slo', slo(), '--values', file('v.json', {}), '--start', 'yesterday'],
      '--start yesterday: write a time',
    ],
    [
      'a period that runs backwards',
      () => [
        '--slo',
        slo(),
        '--values',
        file('v.json', {}),
        '--start',
        '2026-01-02T00:00:00Z',
        '--end',
        '2026-01-01T00:00:00Z',
      ],
      '--start must be before',
    ],
    [
      'two places for sources',
      () => ['--slo', slo(), '--url', 'http://x', '--config', 'y'],
      '--url and --config exclude each other',
    ],
    [
      'an unknown kind of source',
      () => [
        '--slo',
        slo(),
        '--sli',
        file('sli.yaml', 'indicators: {p95: q}'),
        '--url',
        'http://127.0.0.1:1',
        '--provider',
        'promethoos',
      ],
      'did you mean "prometheus"?',
    ],
    [
      'a source that is not configured',
      () => [
        '--slo',
        slo(),
        '--sli',
        file('sli.yaml', 'indicators: {p95: q}'),
        '--config',
        file(
          'lynceus.yaml',
          'apiVersion: lynceus.dev/v1\nkind: Connections\nmetrics: [{name: main, kind: prometheus, url: "http://127.0.0.1:1"}]\n',
        ),
        '--provider',
        'other',
      ],
      'has the metrics sources main',
    ],
    [
      'a query that needs a name',
      () => [
        '--slo',
        slo(),
        '--sli',
        file('sli.yaml', 'indicators: {p95: "up{s=\\"$SERVICE\\"}"}'),
        '--url',
        'http://127.0.0.1:1',
      ],
      'the query of "p95" needs $SERVICE: give --service',
    ],
    [
      'a control group that is not there',
      () => [
        '--slo',
        file('c.yaml', 'objectives: [{sli: p95, control: {failOn: increase}}]\ntotal_score: {pass: 90}\n'),
        '--sli',
        file('sli.yaml', 'indicators: {p95: q}'),
        '--url',
        'http://127.0.0.1:1',
      ],
      'give both in --values',
    ],
    ['an unknown output', () => ['--slo', slo(), '--output', 'xml'], ''],
  ])('exits with 64 for %s', async (_what, args, message) => {
    const { code, out, err } = await run(args());
    expect([code, out]).toEqual([64, '']);
    expect(err).toMatch(message instanceof RegExp ? message : '');
    if (typeof message === 'string') expect(err).toContain(message);
  });
});

describe('lynceus evaluate with a metrics source', () => {
  let server: Server;
  let url: string;
  const asked: { query: string; time: string; token: string | undefined }[] = [];
  const answers: Record<string, unknown> = {
    'rate{service="cart"}': 0.001,
    'p95[300s]': 100,
  };
  beforeAll(async () => {
    server = createServer((request, response) => {
      const params = new URL(request.url ?? '/', 'http://x').searchParams;
      const query = params.get('query') ?? '';
      asked.push({ query, time: params.get('time') ?? '', token: request.headers.authorization });
      const value = answers[query];
      if (query === 'broken') response.statusCode = 500;
      const result = value === undefined ? [] : [{ metric: {}, value: [0, String(value)] }];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const SLI = 'indicators:\n  error_rate: rate{service="$SERVICE"}\n  p95: p95[$DURATION_SECONDS]\n';
  const PERIOD = ['--start', '2026-01-31T12:00:00Z', '--timeframe', '5m'];
  const measure = (sli: string, ...more: string[]) =>
    run(
      [
        '--slo',
        file('slo.yaml', SLO),
        '--sli',
        file('sli.yaml', sli),
        '--url',
        url,
        '--service',
        'cart',
        ...PERIOD,
        ...more,
      ],
      {
        env: { LYNCEUS_PROVIDER_TOKEN: 'canary-0123456789' },
      },
    );

  it('asks for what the objectives need, with the token, at the end of the period', async () => {
    asked.length = 0;
    const { code, out } = await measure(`${SLI}  unused: other\n`, '--output', 'json');
    expect(code).toBe(0);
    expect(asked.map(({ query }) => query).sort()).toEqual(['p95[300s]', 'rate{service="cart"}']);
    expect(new Set(asked.map(({ time }) => Number(time)))).toEqual(
      new Set([Date.parse('2026-01-31T12:05:00Z') / 1000]),
    );
    expect(asked[0]?.token).toBe('Bearer canary-0123456789');
    expect(JSON.parse(out)).toMatchObject({
      service: 'cart',
      period: { start: '2026-01-31T12:00:00.000Z', end: '2026-01-31T12:05:00.000Z' },
      indicators: [{ value: 0.001 }, { value: 100 }],
    });
  });

  it.each([
    ['has no data', SLI.replace('rate{', 'other{'), 'COULD NOT BE JUDGED'],
    ['answers with an error', SLI.replace('rate{service="$SERVICE"}', 'broken'), 'COULD NOT BE JUDGED'],
  ])('exits with 3 when the source %s', async (_why, sli, said) => {
    const { code, out, err } = await measure(sli);
    expect([code, out]).toEqual([3, expect.stringContaining(said)]);
    expect(out + err).not.toContain('canary');
  });

  it('exits with 3 when nobody answers', async () => {
    const { code, out } = await run([
      '--slo',
      file('slo.yaml', SLO),
      '--sli',
      file('sli.yaml', SLI),
      '--url',
      'http://127.0.0.1:9',
      '--service',
      'cart',
    ]);
    expect([code, out]).toEqual([3, expect.stringContaining('COULD NOT BE JUDGED')]);
  });

  it('lets a given value stand, and asks only for the rest', async () => {
    asked.length = 0;
    const { code } = await measure(SLI, '--values', file('v.json', { error_rate: 0.5 }));
    expect([code, asked.map(({ query }) => query)]).toEqual([1, ['p95[300s]']]);
  });

  it('reads several sources of a lynceus.yaml', async () => {
    const config = file(
      'lynceus.yaml',
      `apiVersion: lynceus.dev/v1\nkind: Connections\nmetrics:\n  - {name: one, kind: prometheus, url: "${url}"}\n  - {name: two, kind: prometheus, url: "${url}"}\n`,
    );
    const sli = file(
      'sli.yaml',
      'indicators:\n  error_rate: {sources: [{provider: one, query: "p95[300s]"}, {provider: two, query: "p95[300s]"}], aggregate: sum}\n  p95: {provider: two, query: "p95[300s]"}\n',
    );
    const { out } = await run(['--slo', file('slo.yaml', SLO), '--sli', sli, '--config', config, '--output', 'json']);
    expect(JSON.parse(out).indicators[0]).toMatchObject({
      value: 200,
      sources: [
        { provider: 'one', value: 100 },
        { provider: 'two', value: 100 },
      ],
    });
  });

  it('asks as Keptn did under compatibility: keptn, with plain text put in', async () => {
    asked.length = 0;
    const sli = SLI.replace('"$SERVICE"', '"$SERVICE$LABEL.x"');
    const { code, out } = await measure(sli, '--label', 'x=', '--compatibility', 'keptn', '--output', 'json');
    expect(asked.map(({ query }) => query).sort()).toEqual(['p95[300s]', 'rate{service="cart"}']);
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { status: 'succeeded', result: 'pass', service: 'cart', labels: { x: '' } },
    ]);
  });

  it('fails under compatibility: keptn when every reading failed, as its provider did', async () => {
    const { code, out } = await measure(
      'indicators: {error_rate: a, p95: b}',
      '--compatibility',
      'keptn',
      '--output',
      'json',
    );
    expect([code, JSON.parse(out)]).toMatchObject([
      1,
      { result: 'fail', message: 'lighthouse failed because SLI failed with message unable to retrieve metrics' },
    ]);
  });
});

describe('lynceus evaluate --compatibility keptn', () => {
  const e2e = createTally(
    "lynceus evaluate against lighthouse's answers",
    readVectors('slo/vectors.json').filter(({ group }) => group === 'evaluate-e2e'),
  );

  e2e.group('evaluate-e2e', async ({ input, expected }) => {
    const args = [
      ...['--slo', file('slo.yaml', input['sloYaml'] ?? '')],
      ...['--values', file('values.json', input['getSliFinished'])],
      ...['--previous', file('previous.json', input['previousEvaluations'] ?? [])],
      ...['--compatibility', 'keptn', '--output', 'json'],
    ];
    const { code, out } = await run(args);
    const { status, result } = expected['finished'];
    expectLike(JSON.parse(out), expected['finished']);
    expect(code).toBe(status === 'errored' ? 3 : { pass: 0, warning: 2, fail: 1 }[result as 'pass']);
  });

  it('takes the values alone, with times, place and labels from the command line', async () => {
    const { code, out } = await run([
      ...[
        '--slo',
        file('slo.yaml', SLO),
        '--values',
        file('v.json', [
          { metric: 'error_rate', value: 0, success: true },
          { metric: 'p95', value: 350, success: true },
        ]),
      ],
      ...['--start', '2024-05-01T10:00:00.000Z', '--end', '2024-05-01T10:05:00.000Z'],
      ...[
        '--project',
        'p',
        '--stage',
        's',
        '--service',
        'svc',
        '--label',
        'k=v',
        '--compatibility',
        'keptn',
        '--output',
        'json',
      ],
    ]);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      project: 'p',
      stage: 's',
      service: 'svc',
      labels: { k: 'v' },
      status: 'succeeded',
      result: 'warning',
      evaluation: {
        timeStart: '2024-05-01T10:00:00.000Z',
        timeEnd: '2024-05-01T10:05:00.000Z',
        result: 'warning',
        score: 66.66666666666666,
        sloFileContent: Buffer.from(SLO).toString('base64'),
      },
    });
  });

  it.each([
    ['without an SLO file', [], 0, 'no evaluation performed by lighthouse because no SLO file configured for project '],
    [
      'with a period of seconds',
      ['--start', '2024-05-01T10:00:00Z', '--timeframe', '5s'],
      3,
      'end date must be at least 1 minute after start date',
    ],
  ])('says what lighthouse said %s', async (_what, args, code, message) => {
    const ran = await run(['--values', file('v.json', {}), ...args, '--compatibility', 'keptn', '--output', 'json']);
    expect([ran.code, JSON.parse(ran.out).message]).toEqual([code, message]);
  });

  it('passes without a provider, as lighthouse did', async () => {
    const ran = await run([
      '--slo',
      file('slo.yaml', SLO),
      '--compatibility',
      'keptn',
      '--project',
      'p',
      '--output',
      'json',
    ]);
    expect([ran.code, JSON.parse(ran.out).message]).toEqual([
      0,
      'no evaluation performed by lighthouse because no SLI-provider configured for project p',
    ]);
  });

  it('speaks text, Markdown and JUnit too', async () => {
    const slo = file('slo.yaml', SLO);
    const values = file('v.json', { error_rate: 1, p95: 1 });
    for (const [output, said] of [
      ['text', 'FAIL  score 66.66'],
      ['markdown', '**fail 66.6/100**'],
      ['junit', 'failures="1"'],
    ])
      expect(
        (await run(['--slo', slo, '--values', values, '--compatibility', 'keptn', '-o', output as string])).out,
      ).toContain(said);
  });
});

describe('lynceus evaluate as a process of its own', () => {
  it.each([
    [0, { error_rate: 0, p95: 1 }],
    [1, { error_rate: 1, p95: 1 }],
    [2, { error_rate: 0, p95: 350 }],
    [3, { p95: 1 }],
  ])('exits with %i', async (code, values) => {
    const ran = await lynceus(['evaluate', '--slo', file('slo.yaml', SLO), '--values', file('v.json', values)]);
    expect(ran).toMatchObject({ code, err: '' });
    expect(ran.out).not.toContain('\u001b');
  });

  it('explains itself', async () => {
    const { code, out } = await lynceus(['evaluate', '--help']);
    expect([code, out]).toEqual([0, expect.stringContaining('3 could not be judged')]);
  });
});
