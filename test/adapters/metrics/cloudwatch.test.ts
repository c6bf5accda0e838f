import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SecretRef } from '../../../src/adapters/adapter-kind.ts';
import { cloudwatch } from '../../../src/adapters/metrics/cloudwatch.ts';
import { toQuestion } from '../../../src/adapters/metrics/cloudwatch-query.ts';
import { periodOf } from '../../../src/adapters/metrics/placeholders.ts';
import { describeMetricsSource, query, SECRET, serve, tools } from '../../contracts/metrics-source.ts';
import { type RecordedRequest, recorded } from '../../support/recorded.ts';

const keys = { accessKeyId: { env: 'ID' }, secretAccessKey: { env: 'KEY' } } satisfies Record<string, SecretRef>;
const config = { region: 'eu-central-1', timeout: '500ms', ...keys };

const metric = (name: string, changes: object = {}) => ({
  Id: name.toLowerCase(),
  MetricStat: {
    Metric: {
      Namespace: 'AWS/ApplicationELB',
      MetricName: name,
      Dimensions: [{ Name: 'TargetGroup', Value: 'targetgroup/$SERVICE/1' }],
    },
    Stat: 'Sum',
    ...changes,
  },
});
const QUERY = JSON.stringify([metric('RequestCount')]);

/** Shapes after https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html. */
const results = (...lists: unknown[]) =>
  JSON.stringify({
    MetricDataResults: lists.map((values, at) => ({
      Id: `m${at}`,
      Label: `metric ${at}`,
      StatusCode: 'Complete',
      Timestamps: Array.isArray(values) ? values.map((_, i) => 1_767_261_600 + i * 60) : [],
      Values: values,
    })),
    Messages: [],
  });

describeMetricsSource('CloudWatch', {
  create: (url) => cloudwatch.create('main', { url, ...config }, tools),
  query: QUERY,
  unknownPlaceholder: JSON.stringify([{ Id: 'a', Expression: 'SUM($NOBODY)' }]),
  bodies: {
    value: (value) => results([value]),
    noData: results([]),
    severalValues: results([1], [2]),
    series: (points) => results(points.filter((point) => point !== null)),
    wrong: [results('x'), results(['1']), '{"MetricDataResults":[{}]}', '{"MetricDataResults":{}}'],
  },
});

const read = async (text: string, body: string) => {
  const { url, requests } = await recorded(serve, body);
  const reading = await cloudwatch.create('main', { ...config, url }, tools).read(query({ query: text }));
  return { reading, request: requests[0] };
};

describe('a question to CloudWatch', () => {
  it('is signed, and names the period', async () => {
    const { request } = await read(QUERY, results([1]));
    expect(request).toMatchObject({
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'GraniteServiceVersion20100801.GetMetricData',
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=.+\/\d{8}\/eu-central-1\/monitoring\/aws4_request, /,
        ),
      },
      body: {
        MetricDataQueries: [
          {
            Id: 'requestcount',
            MetricStat: { Period: 300, Metric: { Dimensions: [{ Name: 'TargetGroup', Value: 'targetgroup/cart/1' }] } },
          },
        ],
        StartTime: 1_767_261_600,
        EndTime: 1_767_261_900,
      },
    });
    expect(signatureOf(request)).toBe(expectedSignature(request));
  });

  it('that gives several points says how they become one, or is not answered', async () => {
    expect((await read(QUERY, results([1, 2]))).reading).toMatchObject({ missing: 'several-values' });
    const aggregated = async (aggregate: string) =>
      (await read(JSON.stringify({ aggregate, queries: [metric('RequestCount')] }), results([1, 2, 6, 3]))).reading;
    expect(await aggregated('sum')).toEqual({ ok: true, value: 12 });
    expect(await aggregated('avg')).toEqual({ ok: true, value: 3 });
    expect(await aggregated('max')).toEqual({ ok: true, value: 6 });
    expect(await aggregated('min')).toEqual({ ok: true, value: 1 });
    expect(await aggregated('last')).toEqual({ ok: true, value: 3 });
  });

  it.each([
    [{ StatusCode: 'PartialData' }, {}, 'unavailable'],
    [{ StatusCode: 'InternalError' }, {}, 'unavailable'],
    [{ StatusCode: 'Forbidden' }, {}, 'forbidden'],
    [{}, { NextToken: 'more' }, 'unavailable'],
  ])('answered with %j %j is not answered', async (result, more, reason) => {
    const body = JSON.stringify({ MetricDataResults: [{ Id: 'a', Values: [1], ...result }], ...more });
    await expect(read(QUERY, body)).rejects.toMatchObject({ reason });
  });

  it.each([
    ['com.amazon.coral.service#ThrottlingException', 'rate-limited'],
    ['com.amazon.coral.service#AccessDeniedException', 'forbidden'],
    ['com.amazon.coral.service#UnrecognizedClientException', 'unauthenticated'],
    ['com.amazon.coral.service#ExpiredTokenException', 'unauthenticated'],
    ['com.amazonaws.cloudwatch.v2010_08_01#InvalidParameterValueException', 'rejected'],
  ])('refused as %s is refused for that reason', async (type, reason) => {
    const url = await serve((_request, response) =>
      response.writeHead(400).end(JSON.stringify({ __type: type, message: `no ${SECRET}` })),
    );
    const reading = cloudwatch.create('main', { ...config, url }, tools).read(query({ query: QUERY }));
    const message = `CloudWatch main answered 400: no <secret> (${type.split('#')[1]})`;
    await expect(reading).rejects.toMatchObject({ reason, message });
  });

  it('for points names the step', async () => {
    const { url, requests } = await recorded(serve, results([1]));
    const source = cloudwatch.create('main', { ...config, url }, tools);
    await source.series?.({ ...query({ query: QUERY }), stepMs: 60_000 });
    expect(requests).toMatchObject([{ body: { MetricDataQueries: [{ MetricStat: { Period: 60 } }] } }]);
    await expect(source.series?.({ ...query({ query: QUERY }), stepMs: 45_000 })).rejects.toThrow('whole minutes');
  });
});

describe('the text of a question to CloudWatch', () => {
  const asked = (document: unknown, value = 'cart') => {
    const text = typeof document === 'string' ? document : JSON.stringify(document);
    return toQuestion(text, periodOf(query({ variables: { SERVICE: value } }))).queries;
  };

  it('takes any text as the value of a dimension', () => {
    const hostile = '"}],"Stat":"Max" \\ \n ä';
    expect(asked([metric('Errors')], hostile)).toMatchObject([
      { MetricStat: { Stat: 'Sum', Metric: { Dimensions: [{ Value: `targetgroup/${hostile}/1` }] } } },
    ]);
  });

  it.each(["a'", 'a"', 'a b', 'a,b', ')'])('takes no syntax in an expression: %j', (value) => {
    const search = `SEARCH('{AWS/Lambda,FunctionName} FunctionName="$SERVICE"', 'Sum')`;
    expect(() => asked([{ Id: 'a', Expression: search }], value)).toThrow('can only stand inside quotes');
    expect(asked([{ Id: 'a', Expression: search }])).toEqual([
      { Id: 'a', Expression: search.replace('$SERVICE', 'cart') },
    ]);
  });

  it('keeps a period that is given', () => {
    expect(asked([metric('Errors', { Period: 60 })])).toMatchObject([{ MetricStat: { Period: 60 } }]);
    expect(asked([{ Id: 'a', Expression: 'SELECT AVG(x) FROM y' }])).toMatchObject([{ Period: 300 }]);
    expect(asked([{ Id: 'a', Expression: 'errors / hits' }])).toEqual([{ Id: 'a', Expression: 'errors / hits' }]);
  });

  it.each([
    ['AWS/Lambda Errors', 'must be JSON'],
    ['7', 'must be JSON'],
    ['[]', 'no list of metric data queries'],
    ['{}', 'no list of metric data queries'],
    ['["x"]', 'no list of metric data queries'],
    ['{"queries":[{}],"aggregate":"median"}', '"aggregate" must be one of sum'],
  ])('%j is refused', (text, message) => {
    expect(() => asked(text)).toThrow(message);
  });
});

describe('the role of a service account', () => {
  const roleArn = 'arn:aws:iam::123456789012:role/lynceus';
  const sts = (expiration: number) => ({
    AssumeRoleWithWebIdentityResponse: {
      AssumeRoleWithWebIdentityResult: {
        Credentials: {
          AccessKeyId: 'ASIA1',
          SecretAccessKey: 'temporary-secret-key',
          SessionToken: 'temporary-session',
          Expiration: expiration,
        },
      },
    },
  });
  const soon = () => Date.now() / 1000 + 3600;

  async function create(stsAnswer: string, answer = results([1])) {
    const folder = mkdtempSync(join(tmpdir(), 'lynceus-aws-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'a-web-identity-token\n');
    const [identity, metrics] = [await recorded(serve, stsAnswer), await recorded(serve, answer)];
    const webIdentity = { roleArn, tokenFile, url: identity.url };
    const source = cloudwatch.create('main', { region: 'eu-central-1', url: metrics.url, webIdentity }, tools);
    return { source, identity: identity.requests, metrics: metrics.requests };
  }

  it('is taken once, and signs with its keys and session', async () => {
    const { source, identity, metrics } = await create(JSON.stringify(sts(soon())));
    await Promise.all([1, 2, 3].map(() => source.read(query({ query: QUERY }))));
    expect(identity).toHaveLength(1);
    expect(Object.fromEntries(new URLSearchParams(String(identity[0]?.body)))).toEqual({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'lynceus',
      WebIdentityToken: 'a-web-identity-token',
    });
    expect(metrics[0]?.headers).toMatchObject({
      'x-amz-security-token': 'temporary-session',
      authorization: expect.stringContaining('Credential=ASIA1/'),
    });
    expect(signatureOf(metrics[0])).toBe(expectedSignature(metrics[0], 'temporary-secret-key'));
  });

  it('is taken again when it is about to end', async () => {
    const { source, identity } = await create(JSON.stringify(sts(Date.now() / 1000 + 60)));
    await source.read(query({ query: QUERY }));
    await source.read(query({ query: QUERY }));
    expect(identity).toHaveLength(2);
  });

  it('is understood in XML too', async () => {
    const xml = `<R><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
      <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></R>`;
    const { source, metrics } = await create(xml);
    expect(await source.read(query({ query: QUERY }))).toEqual({ ok: true, value: 1 });
    expect(metrics[0]?.headers['x-amz-security-token']).toBe('t');
  });

  it.each(['{}', '<x/>', 'text', '[]', JSON.stringify(sts(Number.NaN))])('is not taken from %j', async (answer) => {
    const { source } = await create(answer);
    await expect(source.read(query({ query: QUERY }))).rejects.toMatchObject({ reason: 'bad-response' });
  });

  it('needs its token', async () => {
    const webIdentity = { roleArn, tokenFile: '/nowhere/token', url: 'http://127.0.0.1:1' };
    const source = cloudwatch.create('main', { region: 'eu-central-1', url: 'http://127.0.0.1:1', webIdentity }, tools);
    await expect(source.read(query({ query: QUERY }))).rejects.toMatchObject({ reason: 'unauthenticated' });
  });

  it('or keys must be configured, and not both', () => {
    const webIdentity = { roleArn, tokenFile: '/t' };
    expect(() => cloudwatch.create('main', { region: 'x' }, tools)).toThrow('either accessKeyId and secretAccessKey');
    expect(() => cloudwatch.create('main', { region: 'x', webIdentity, ...keys }, tools)).toThrow('either');
  });
});

function signatureOf(request: RecordedRequest | undefined): string | undefined {
  return /Signature=([0-9a-f]{64})$/.exec(String(request?.headers['authorization']))?.[1];
}

/** By hand, after https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. */
function expectedSignature(request: RecordedRequest | undefined, key = SECRET): string {
  const headers = request?.headers ?? {};
  const signed = /SignedHeaders=([^,]+)/.exec(String(headers['authorization']))?.[1] ?? '';
  const date = String(headers['x-amz-date']);
  const scope = `${date.slice(0, 8)}/eu-central-1/monitoring/aws4_request`;
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const lines = signed.split(';').map((name) => `${name}:${headers[name]}\n`);
  const canonical = ['POST', '/', '', lines.join(''), signed, sha256(JSON.stringify(request?.body))].join('\n');
  const secret = ['eu-central-1', 'monitoring', 'aws4_request'].reduce(
    (step, part) => createHmac('sha256', step).update(part).digest(),
    createHmac('sha256', `AWS4${key}`).update(date.slice(0, 8)).digest(),
  );
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  return createHmac('sha256', secret).update(text).digest('hex');
}
