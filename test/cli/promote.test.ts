import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../examples/sandbox/git.ts';
import { lynceus } from '../support/cli.ts';

const LIMIT = { timeout: 60_000 };
const delivery = (promotion: string) => `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  services: [checkout]
  stages:
    - name: dev
      branch: stage/dev
      soak: 1h
      promotion: ${promotion}
    - name: production
      branch: stage/production
      sync: gated
      checks: {risk: {approvalAbove: 30}, windows: [{deny: "FR 15:00/MO 07:00", reason: weekend}]}
      approval: {quorum: 2, groups: [payments]}
`;
const COPY = '{changes: [{copy: {from: envs/$STAGE, to: envs/$NEXT_STAGE, keep: [{file: v.yaml, path: replicas}]}}]}';

describe('lynceus promote --dry-run', () => {
  let origin: BareRepository;
  let verified: string;
  beforeAll(() => {
    origin = createBareRepository();
    origin.commit({
      branch: 'stage/production',
      files: { 'envs/production/v.yaml': 'replicas: 8\ntag: v1 # ours\n', 'envs/production/old.yaml': 'x: 1\n' },
    });
    verified = origin.commit({
      branch: 'stage/dev',
      from: 'stage/production',
      files: {
        'envs/dev/v.yaml': 'replicas: 1\ntag: v2\n',
        'envs/dev/logo.png': new Uint8Array([0, 255, 1]),
        'delivery.yaml': delivery(COPY),
      },
      message: 'Raise \u001b[31mit',
    });
  });
  afterAll(() => origin.remove());

  const run = (...args: string[]) => lynceus(['promote', '--dry-run', '--repository', origin.path, ...args]);
  /** The same commit with another delivery.yaml. */
  const having = (promotion: string) =>
    origin.commit({
      branch: `try-${promotion.length}`,
      from: verified,
      files: { 'delivery.yaml': delivery(promotion) },
    });

  it('shows the edits, what they are called and what is asked, and writes nothing', LIMIT, async () => {
    const before = origin.git('for-each-ref');
    const { code, out, err } = await run('--revision', 'stage/dev');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain(`PULL REQUEST  Promote checkout ${verified.slice(0, 7)} to production\n`);
    expect(out).toContain('before it is opened          it ran healthy for 1 h\n');
    expect(out).toContain('before it is merged          1 person approves it\n');
    expect(out).toContain('before production is synced  the risk is at most 30, or a person agrees\n');
    expect(out).toContain('before production is synced  it is not FR 15:00/MO 07:00 UTC (weekend)\n');
    expect(out).toContain('before production is synced  2 of payments approve\n');
    expect(out).toContain(
      '--- a/envs/production/v.yaml\n+++ b/envs/production/v.yaml\n@@ -1,2 +1,2 @@\n replicas: 8\n-tag: v1 # ours\n+tag: v2\n',
    );
    expect(out).toContain('--- a/envs/production/old.yaml\n+++ /dev/null\n');
    expect(out).toContain('add envs/production/logo.png (not shown: no text, or too large)');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(origin.git('for-each-ref')).toBe(before);
  });

  it('answers programs with everything', LIMIT, async () => {
    const { out } = await run('--revision', verified, '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({
      ...{ service: 'checkout', fromStage: 'dev', toStage: 'production', branch: 'stage/production', mode: 'edits' },
      ...{ revision: verified, base: origin.sha('stage/production'), totalFiles: 3, problems: [] },
      files: [
        { path: 'envs/production/logo.png', change: 'add', diff: null },
        { path: 'envs/production/v.yaml', change: 'modify', diff: expect.stringContaining('+tag: v2') },
        { path: 'envs/production/old.yaml', change: 'delete', diff: expect.stringContaining('-x: 1') },
      ],
    });
  });

  it('shows the commits and files of a merge, unable to steer the terminal', LIMIT, async () => {
    const { code, out } = await run('--revision', having('{onPass: automatic}'));
    expect(code).toBe(0);
    expect(out).toContain('the verified commit is merged: 2 commits, 3 files');
    expect(out).toContain(`${verified.slice(0, 7)} Raise  [31mit\n`);
    expect(out).toContain('nobody is asked after a pass');
    expect(out).toContain('+++ b/envs/dev/v.yaml');
  });

  it('says with exit code 2 that there is nothing to promote', LIMIT, async () => {
    const { code, out } = await run(
      '--revision',
      having('{changes: [{set: {file: envs/production/v.yaml, path: tag, value: v1}}]}'),
    );
    expect([code, out.trim()]).toEqual([
      2,
      expect.stringMatching(/: production has everything already, on stage\/production\.$/),
    ]);
  });

  it('says with exit code 1 what does not fit, and where', LIMIT, async () => {
    const { code, out } = await run(
      '--revision',
      having('{changes: [{set: {file: envs/production/v.yaml, path: a.b, value: v1}}]}'),
    );
    expect(code).toBe(1);
    expect(out).toContain('envs/production/v.yaml:1:1 a.b there is no a');
  });

  it('lets zeros stand for digests that it does not ask for', LIMIT, async () => {
    const kustomize = '{changes: [{kustomizeImage: {file: k.yaml, image: a/b, tag: v2, digest: resolve}}]}';
    origin.commit({ branch: 'stage/production', files: { 'k.yaml': 'images:\n  - name: a/b\n' } });
    const { code, out } = await run('--revision', having(kustomize));
    expect(code).toBe(0);
    expect(out).toContain('The digest of a/b:v2 is asked for when it is opened; zeros stand for it here.');
    expect(out).toContain('+    newTag: v2\n+    digest: sha256:0000');
  });

  it.each([
    [['--revision', 'nowhere'], 3, 'there is no commit nowhere in this repository'],
    [['--revision', 'stage/dev', '--to', 'prod'], 64, '--to: there is no stage prod, stages: dev, production'],
    [
      ['--revision', 'stage/dev', '--from-stage', 'production'],
      64,
      'production promotes nothing: it has no "promotion"',
    ],
    [['--revision', 'stage/dev', '--service', 'x'], 64, '--service: delivery.yaml is about checkout'],
    [
      ['--revision', 'stage/production'],
      64,
      expect.stringMatching(/^delivery\.yaml is not there at .{7}: name it with --delivery$/),
    ],
  ])('%j: %i', LIMIT, async (args, code, message) => {
    expect(await run(...args).then(({ code, err }) => [code, err.trim()])).toEqual([code, message]);
  });

  it('is only ever a look', LIMIT, async () => {
    const { code, err } = await lynceus(['promote', '--repository', origin.path]);
    expect([code, err.trim()]).toEqual([
      64,
      '--dry-run: promotions are opened by the service, here they are only shown',
    ]);
  });

  it('takes commit, service and stage of a change from the service', LIMIT, async () => {
    const change = {
      id: 'c1-of-the-service',
      project: 'shop',
      service: 'checkout',
      revision: verified,
      stages: [{ stage: 'dev', revision: verified }],
    };
    const server = createServer((_request, response) =>
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(change)),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, out } = await run('c1-of-the-service', '--server', url).finally(() => server.close());
    expect(code).toBe(0);
    expect(out).toContain(`Promote checkout ${verified.slice(0, 7)} to production`);
  });
});
