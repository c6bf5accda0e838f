import { createVerify, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { googleCloudMonitoring } from '../../../src/adapters/metrics/google-cloud-monitoring.ts';
import { Secret } from '../../../src/base/secret.ts';
import { describeMetricsSource, query, SECRET, serve, tools } from '../../contracts/metrics-source.ts';
import { recorded } from '../../support/recorded.ts';

const config = { project: 'shop-1', timeout: '500ms' };
const answer = (resultType: string, result: unknown) =>
  JSON.stringify({ status: 'success', data: { resultType, result } });
const vector = (...values: string[]) =>
  answer(
    'vector',
    values.map((value) => ({ metric: { v: value }, value: [1, value] })),
  );

describeMetricsSource('Google Cloud Monitoring', {
  create: (url) => googleCloudMonitoring.create('main', { url, ...config, token: { env: 'T' } }, tools),
  bodies: {
    value: (value) => vector(String(value)),
    noData: vector(),
    notANumber: vector('NaN'),
    severalValues: vector('1', '2'),
    series: (points) =>
      answer('matrix', [
        { metric: {}, values: points.map((point, at) => [at, point === null ? 'NaN' : String(point)]) },
      ]),
  },
});

describe('a question to Google Cloud Monitoring', () => {
  it('goes to the PromQL endpoint of the project', async () => {
    const { url, requests } = await recorded(serve, vector('1'));
    const source = googleCloudMonitoring.create('main', { url: `${url}/`, ...config, token: { env: 'T' } }, tools);
    await source.read(query());
    expect(requests).toMatchObject([
      {
        path: '/v1/projects/shop-1/location/global/prometheus/api/v1/query',
        headers: { authorization: `Bearer ${SECRET}` },
        query: { query: 'up{service="cart"}', time: '1767261900.000' },
      },
    ]);
  });

  it('needs exactly one way to log in', () => {
    const create = (more: object) => googleCloudMonitoring.create('main', { ...config, ...more }, tools);
    expect(() => create({})).toThrow('take one of serviceAccount, metadataServer and token');
    expect(() => create({ token: { env: 'T' }, serviceAccount: { env: 'S' } })).toThrow('take one of');
    expect(() => create({ serviceAccount: { env: 'S' } })).toThrow(
      'Google Cloud Monitoring main: serviceAccount is not the JSON key file of a service account',
    );
  });
});

describe('a service account', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  async function create(token: string, answered = vector('1')) {
    const [oauth, metrics] = [await recorded(serve, token), await recorded(serve, answered)];
    const file = { client_email: 'lynceus@shop-1.example', private_key: key, token_uri: `${oauth.url}/token` };
    const secret = () => new Secret(JSON.stringify(file));
    const settings = { ...config, url: metrics.url, serviceAccount: { file: '/key.json' } };
    const source = googleCloudMonitoring.create('main', settings, { ...tools, secret });
    return { source, oauth, metrics };
  }

  it('signs for a token, once for many questions', async () => {
    const { source, oauth, metrics } = await create('{"access_token":"ya29.abc","expires_in":3599}');
    await Promise.all([1, 2, 3].map(() => source.read(query())));
    expect(oauth.requests).toHaveLength(1);
    expect(metrics.requests.map(({ headers }) => headers['authorization'])).toEqual(Array(3).fill('Bearer ya29.abc'));

    const form = new URLSearchParams(String(oauth.requests[0]?.body));
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    expect(decoded(header)).toEqual({ alg: 'RS256', typ: 'JWT' });
    expect(decoded(claims)).toMatchObject({
      iss: 'lynceus@shop-1.example',
      scope: 'https://www.googleapis.com/auth/monitoring.read',
      aud: `${oauth.url}/token`,
    });
    expect(Number(decoded(claims)['exp']) - Number(decoded(claims)['iat'])).toBe(3600);
    const verify = createVerify('RSA-SHA256').update(`${header}.${claims}`);
    expect(verify.verify(publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it('gets another token before the first ends', async () => {
    const { source, oauth } = await create('{"access_token":"ya29.abc","expires_in":60}');
    await source.read(query());
    await source.read(query());
    expect(oauth.requests).toHaveLength(2);
  });

  it.each(['{}', '{"access_token":7,"expires_in":1}', '[]'])('does not go on with %j', async (token) => {
    const { source, metrics } = await create(token);
    await expect(source.read(query())).rejects.toMatchObject({ reason: 'bad-response' });
    expect(metrics.requests).toHaveLength(0);
  });

  it('shows neither its key, nor what it signed, nor its token', async () => {
    const oauth = await serve((request, response) => {
      let sent = '';
      request.on('data', (chunk: Buffer) => {
        sent += chunk.toString();
      });
      request.on('end', () =>
        response.writeHead(400).end(JSON.stringify({ error: sent.slice(sent.indexOf('assertion=')) })),
      );
    });
    const file = { client_email: 'a@b', private_key: key, token_uri: `${oauth}/token` };
    const settings = { ...config, url: oauth, serviceAccount: { file: '/key.json' } };
    const refused = googleCloudMonitoring.create('main', settings, {
      ...tools,
      secret: () => new Secret(JSON.stringify(file)),
    });
    await expect(refused.read(query())).rejects.toThrow(/answered 400: assertion=<secret>$/);
    const { source, metrics } = await create('{"access_token":"ya29.abc","expires_in":3599}', '{"error":"x"}');
    const error = await source.read(query()).catch(String);
    expect(metrics.requests).toHaveLength(1);
    expect(error).not.toContain('ya29.abc');
  });
});

describe('the metadata server', () => {
  it('gives tokens, and another one when the first is refused', async () => {
    const metadata = await recorded(serve, '{"access_token":"ya29.pod","expires_in":3599,"token_type":"Bearer"}');
    let refuse = true;
    const url = await serve((request, response) => {
      response.writeHead(refuse ? 401 : 200);
      response.end(
        refuse ? JSON.stringify({ error: { message: `bad ${request.headers.authorization}` } }) : vector('2'),
      );
      refuse = false;
    });
    const settings = { ...config, url, metadataServer: metadata.url };
    const source = googleCloudMonitoring.create('main', settings, tools);
    await expect(source.read(query())).rejects.toMatchObject({
      reason: 'unauthenticated',
      message: expect.stringContaining('bad Bearer <secret>'),
    });
    expect(await source.read(query())).toEqual({ ok: true, value: 2 });
    expect(metadata.requests).toHaveLength(2);
    expect(metadata.requests[0]).toMatchObject({
      path: '/computeMetadata/v1/instance/service-accounts/default/token',
      headers: { 'metadata-flavor': 'Google' },
    });
  });
});
