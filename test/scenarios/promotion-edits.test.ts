import { describe, expect, it } from 'vitest';
import { isOver, type Story, story, waitsAt } from '../support/story.ts';

const LIMIT = { timeout: 120_000 };

const COPY = 'copy: {from: envs/$STAGE, to: envs/$NEXT_STAGE, keep: [{file: values.yaml, path: replicas}]}';
const IMAGE =
  'kustomizeImage: {file: envs/$NEXT_STAGE/kustomization.yaml, image: acme/shop, from: envs/$STAGE/kustomization.yaml}';
const delivery = (changes: string) => `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - name: dev
      branch: stage/dev
      rollout: {settle: 100ms}
      promotion: {onPass: automatic, changes: [${changes}]}
    - name: staging
      branch: stage/staging
      sync: gated
      rollout: {settle: 100ms}
      promotion: {onPass: manual, changes: [${changes}]}
    - name: production
      branch: stage/production
      sync: gated
      rollout: {settle: 100ms}
`;

const values = (replicas: number, tag: string) =>
  `# ${replicas} of them\nreplicas: ${replicas}\nimage: {tag: ${tag}}\n`;
const kustomization = (tag: string) => `images:\n  - name: acme/shop # the shop\n    newTag: ${tag}\n`;
const files = Object.fromEntries(
  (['dev', 'staging', 'production'] as const).flatMap((stage, at) => [
    [`envs/${stage}/values.yaml`, values(2 ** at, 'v1')],
    [`envs/${stage}/kustomization.yaml`, kustomization('v1')],
  ]),
);

function release(told: Story, tag: string): string {
  const repository = told.world.repositories.get('checkout');
  return (
    repository?.commit({
      branch: 'stage/dev',
      files: {
        'app.json': `{"version": "${tag}"}\n`,
        'envs/dev/values.yaml': values(1, tag),
        'envs/dev/kustomization.yaml': kustomization(tag),
      },
    }) ?? ''
  );
}

function at(told: Story, branch: string, path: string): string {
  return told.world.repositories.get('checkout')?.git('show', `${branch}:${path}`) ?? '';
}

describe.concurrent('a promotion by edits of files', () => {
  it('copies a folder from stage to stage, but for the values that each keeps', LIMIT, async () => {
    await story({ delivery: delivery(`{${COPY}}`), files }, async (told) => {
      const commit = release(told, 'v2');
      const staging = await told.stage(commit, 'staging', waitsAt('promotion'), 'is verified, and waits for a review');
      expect(at(told, 'stage/staging', 'envs/staging/values.yaml')).toBe('# 1 of them\nreplicas: 2\nimage: {tag: v2}');
      expect(at(told, 'stage/staging', 'envs/staging/kustomization.yaml')).toContain('newTag: v2');
      // Nothing else of the verified commit came along.
      expect(at(told, 'stage/staging', 'app.json')).toBe('{"version": 0}');
      expect(staging).toMatchObject({ pullRequest: { number: 2, to: 'production' } });
      const head = told.world.repositories
        .get('checkout')
        ?.git('for-each-ref', '--format=%(refname)', 'refs/heads/lynceus/');
      const shown =
        told.world.repositories.get('checkout')?.git('diff', '--stat', 'stage/production', head ?? '') ?? '';
      expect(shown).toMatch(
        /envs\/production\/kustomization\.yaml.*\n.*envs\/production\/values\.yaml.*\n 2 files changed/,
      );
      await told.decide(commit, 'staging', 'approve');
      await told.stage(commit, 'production', isOver, 'arrives');
      expect(at(told, 'stage/production', 'envs/production/values.yaml')).toBe(
        '# 1 of them\nreplicas: 4\nimage: {tag: v2}',
      );
      expect(told.pullRequests()).toEqual(['merged', 'merged']);
    });
  });

  it('sets an image, and nothing else', LIMIT, async () => {
    await story({ delivery: delivery(`{${IMAGE}}`), files }, async (told) => {
      const commit = release(told, 'v2');
      await told.stage(commit, 'staging', waitsAt('promotion'), 'is verified');
      const brought = told.world.repositories.get('checkout')?.git('diff', 'stage/staging^', 'stage/staging') ?? '';
      expect(brought.split('\n').filter((line) => /^[-+][^-+]/.test(line))).toEqual([
        '-    newTag: v1',
        '+    newTag: v2',
      ]);
    });
  });

  it('that has nothing to bring opens no pull request', LIMIT, async () => {
    await story({ delivery: delivery(`{${IMAGE}}`), files }, async (told) => {
      const over = await told.stage(told.release(1), 'dev', isOver, 'is verified');
      expect(over.message).toMatch(/^staging has what \w+ brings already$/);
      expect(over.tasks.at(-1)).toMatchObject({ name: 'promotion', result: 'pass' });
      expect(told.pullRequests()).toEqual([]);
    });
  });

  it('that does not fit says what, and where', LIMIT, async () => {
    const wrong =
      '{set: {file: envs/$NEXT_STAGE/values.yaml, path: img.tag, from: {file: envs/$STAGE/values.yaml, path: image.tag}}}';
    await story({ delivery: delivery(wrong), files }, async (told) => {
      const over = await told.stage(release(told, 'v2'), 'dev', isOver, 'fails');
      expect(over).toMatchObject({
        result: 'fail',
        message: expect.stringContaining('envs/staging/values.yaml:2:1 img.tag there is no img'),
      });
      expect(told.pullRequests()).toEqual([]);
    });
  });
});
