import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BareRepository, createBareRepository } from '../../examples/sandbox/git.ts';
import type { GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import { local } from '../../src/adapters/git-hosts/local.ts';
import { Secret } from '../../src/base/secret.ts';
import type { PromotionChange } from '../../src/definitions/delivery-changes.ts';
import { type ContentWish, contentOf, type PromotionContent } from '../../src/tasks/promotion-content.ts';
import type { TaskInput } from '../../src/tasks/task.ts';

const PROD = 'stage/production';
const SET: PromotionChange = { set: { file: 'envs/prod.yaml', path: 'tag', from: 'envs/dev.yaml' } };

describe('the content of a promotion by edits', () => {
  let cacheDir: string;
  let origin: BareRepository;
  let host: GitHost;
  let verified: string;

  beforeEach(() => {
    cacheDir = mkdtempSync(join(tmpdir(), 'lynceus-content-'));
    origin = createBareRepository();
    const files = { 'envs/dev.yaml': 'tag: v1\n', 'envs/prod.yaml': '# ours\ntag: v1 # now\n', 'README.md': 'hi\n' };
    origin.commit({ branch: PROD, files });
    verified = origin.commit({
      branch: 'stage/dev',
      from: PROD,
      files: { 'envs/dev.yaml': 'tag: v2\n', 'README.md': 'new\n' },
    });
    host = local.create('local', { urls: [origin.path] } as never, {
      secret: () => new Secret(''),
      addresses: 'any',
      cacheDir,
    });
  });
  afterEach(() => {
    origin.remove();
    rmSync(cacheDir, { recursive: true, force: true });
  });

  const input = () =>
    ({
      task: { triggeredAt: '2026-11-21T10:00:00Z' },
      signal: new AbortController().signal,
      guard: () => {},
      effect: (_: string, act: () => Promise<unknown>) => act(),
    }) as unknown as TaskInput;
  const wish = (changes: PromotionChange[], more: Partial<ContentWish> = {}): ContentWish => ({
    host,
    repository: { url: origin.path },
    changes,
    identity: {
      project: 'shop',
      service: 'checkout',
      fromStage: 'dev',
      toStage: 'production',
      context: 'c1',
      revision: verified,
    },
    branch: PROD,
    headBranch: 'lynceus/shop/checkout/production/1',
    ...more,
  });
  const make = (changes: PromotionChange[], more?: Partial<ContentWish>, tools: Parameters<typeof contentOf>[1] = {}) =>
    contentOf(input(), tools, wish(changes, more));
  const made = async (changes: PromotionChange[], more?: Partial<ContentWish>): Promise<PromotionContent> => {
    const content = await make(changes, more);
    if (typeof content === 'string') throw new Error(content);
    return content;
  };
  const text = (sha: string, path: string) => origin.bytes('cat-file', 'blob', `${sha}:${path}`).toString();

  it('is one commit with only these edits, on top of the branch of the next stage', async () => {
    const content = await made([SET]);
    expect(content).toMatchObject({
      base: origin.sha(PROD),
      edits: [{ path: 'envs/prod.yaml', what: 'tag: v1 -> v2' }],
      totalEdits: 1,
    });
    expect(origin.sha('lynceus/shop/checkout/production/1')).toBe(content.headSha);
    expect(origin.git('rev-parse', `${content.headSha}^`)).toBe(content.base);
    expect(origin.git('diff', '--name-only', content.base, content.headSha)).toBe('envs/prod.yaml');
    expect(text(content.headSha, 'envs/prod.yaml')).toBe('# ours\ntag: v2 # now\n');
    expect(origin.git('log', '-1', '--format=%B', content.headSha)).toBe(
      `Promote checkout ${verified.slice(0, 7)} to production\n\nAs verified in dev:\n\n- envs/prod.yaml: tag: v1 -> v2\n\nLynceus-Context: c1\nLynceus-Stage: production\nLynceus-Revision: ${verified}`,
    );
  });

  it('is the same commit however often it is made', async () => {
    expect(await made([SET])).toEqual(await made([SET]));
  });

  it('has the values of the verified commit, whatever came after it', async () => {
    origin.commit({ branch: 'stage/dev', files: { 'envs/dev.yaml': 'tag: v3\n' } });
    expect(text((await made([SET])).headSha, 'envs/prod.yaml')).toContain('tag: v2');
  });

  it('is nothing where the next stage has everything already', async () => {
    const { headSha } = await made([SET]);
    origin.git('update-ref', `refs/heads/${PROD}`, headSha);
    expect(await make([SET])).toBe('nothing');
  });

  it('stays while the branch does, and while only other files of it change', async () => {
    const before = await made([SET]);
    expect(await make([SET], { before })).toBe('same');
    origin.commit({ branch: PROD, files: { 'README.md': 'theirs\n' } });
    expect(await make([SET], { before })).toBe('same');
  });

  it('is planned again once what it changes has changed', async () => {
    const before = await made([SET]);
    const base = origin.commit({ branch: PROD, files: { 'envs/prod.yaml': '# theirs\ntag: v1\nreplicas: 2\n' } });
    const after = await made([SET], { before });
    expect(after.base).toBe(base);
    expect(text(after.headSha, 'envs/prod.yaml')).toBe('# theirs\ntag: v2\nreplicas: 2\n');
    expect(origin.git('rev-parse', `${after.headSha}^`)).toBe(base);
  });

  it('can be on the very branch that the verified commit is on', async () => {
    const content = await made([SET], { branch: 'stage/dev' });
    expect(origin.git('diff', '--name-only', 'stage/dev', content.headSha)).toBe('envs/prod.yaml');
  });

  it('knows stages and services by their placeholders', async () => {
    const change = { set: { file: 'envs/prod.yaml', path: 'by', value: '$SERVICE $STAGE $NEXT_STAGE $REVISION' } };
    expect(text((await made([change])).headSha, 'envs/prod.yaml')).toContain(
      `by: "checkout dev production ${verified}"\n`,
    );
  });

  it('says what does not fit, with its place, and makes no commit', async () => {
    await expect(make([{ set: { file: 'envs/prod.yaml', path: 'image.tag', value: 'x' } }, SET])).rejects.toMatchObject(
      {
        reason: 'rejected',
        message: 'what delivery.yaml wants changed does not fit:\nenvs/prod.yaml:2:1 image.tag there is no image',
      },
    );
    await expect(make([SET], { branch: 'nowhere' })).rejects.toMatchObject({
      message: 'there is no branch nowhere to promote to',
    });
    expect(origin.sha('lynceus/shop/checkout/production/1')).toBeUndefined();
  });

  it('never writes through a link', async () => {
    const link = execFileSync('git', [`--git-dir=${origin.path}`, 'hash-object', '-w', '--stdin'], {
      input: 'dev.yaml',
      encoding: 'utf8',
    });
    const tree = `120000 blob ${link.trim()}\tprod.yaml\n`;
    const inner = execFileSync('git', [`--git-dir=${origin.path}`, 'mktree'], { input: tree, encoding: 'utf8' }).trim();
    const outer = execFileSync('git', [`--git-dir=${origin.path}`, 'mktree'], {
      input: `040000 tree ${inner}\tenvs\n`,
      encoding: 'utf8',
    });
    const commit = origin.git('commit-tree', outer.trim(), '-p', PROD, '-m', 'link');
    origin.git('update-ref', `refs/heads/${PROD}`, commit);
    await expect(make([SET])).rejects.toMatchObject({
      message: expect.stringContaining('envs/prod.yaml:1:1 is a symbolic link'),
    });
  });

  it('asks the registry for a digest, and says what it needs to know one', async () => {
    const kustomization = 'images:\n  - name: acme/shop\n    newTag: v1\n';
    origin.commit({ branch: PROD, files: { 'k.yaml': kustomization } });
    const change: PromotionChange = {
      kustomizeImage: { file: 'k.yaml', image: 'acme/shop', tag: 'v2', digest: 'resolve' },
    };
    await expect(make([change])).rejects.toMatchObject({
      message: 'no registry is configured for acme/shop: the digest of v2 is not known',
    });
    const digest = `sha256:${'a'.repeat(64)}`;
    const answers = (found: string | undefined) => ({
      registry: () => ({ kind: 'oci', name: 'hub', serves: () => true, digest: async () => found }),
    });
    await expect(make([change], {}, answers(undefined))).rejects.toMatchObject({ message: 'hub has no acme/shop:v2' });
    const content = await make([change], {}, answers(digest));
    if (typeof content === 'string') throw new Error(content);
    expect(text(content.headSha, 'k.yaml')).toBe(
      `images:\n  - name: acme/shop\n    newTag: v2\n    digest: ${digest}\n`,
    );
  });
});
