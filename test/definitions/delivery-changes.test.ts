import { describe, expect, it } from 'vitest';
import { parseDelivery } from '../../src/definitions/delivery-yaml.ts';
import { sayProblem } from '../../src/definitions/problem.ts';
import { fillChanges } from '../../src/promotion/edits/changes.ts';
import { EditRefusal } from '../../src/promotion/edits/open-file.ts';

const deliveryOf = (changes: string) =>
  parseDelivery(
    `apiVersion: lynceus.dev/v1\nkind: Delivery\nmetadata: {name: a}\nspec:\n  stages:\n  - name: dev\n    promotion:\n      changes: ${changes}\n  - {name: prod, branch: stage/prod}\n`,
    'd.yaml',
  );
const changesOf = (changes: string) => {
  const parsed = deliveryOf(changes);
  if (!parsed.ok) throw new Error(parsed.problems.map(sayProblem).join('\n'));
  return parsed.value.stages[0]?.promotion?.changes;
};
const problemsOf = (changes: string) => {
  const parsed = deliveryOf(changes);
  return parsed.ok ? [] : parsed.problems.map(sayProblem);
};
const at = (path: string) => `spec.stages[0].promotion.changes${path}`;

describe('promotion.changes', () => {
  it('say what is written instead of merging the verified commit', () => {
    const changes = [
      {
        copy: {
          from: 'envs/dev',
          to: 'envs/prod',
          exclude: ['**/*.env'],
          keep: [{ file: 'v.yaml', path: 'replicas' }],
        },
      },
      { set: { file: 'v.yaml', path: 'image.tag', from: { file: 'd.yaml' } } },
      { kustomizeImage: { file: 'k.yaml', image: 'acme/shop', tag: '1.2', digest: 'resolve' } },
      { helmChart: { file: 'r.yaml', resource: 'HelmRelease/shop', chart: 'shop', from: 'd.yaml' } },
      { ociRepository: { file: 'o.yaml', digest: `sha256:${'a'.repeat(64)}` } },
      { imagePolicy: { file: 'p.yaml', policy: 'flux-system:shop', from: 'd.yaml' } },
    ];
    expect(changesOf(JSON.stringify(changes))).toEqual(changes);
  });

  it('may be a file of Keptn', () => {
    expect(changesOf('git-promotion.yaml')).toBe('git-promotion.yaml');
  });

  it.each([
    ['[{copyy: {}}]', `d.yaml:8:18 ${at('[0]')} unknown property "copyy", did you mean "copy"?`],
    [
      '[{}]',
      `d.yaml:8:17 ${at('[0]')} says nothing to do: name one of copy, set, kustomizeImage, helmChart, ociRepository, imagePolicy`,
    ],
    [
      '[{set: {file: a, path: b, value: 1}, helmChart: {file: a, chart: c, version: "1"}}]',
      `d.yaml:8:53 ${at('[0]')} has both "set" and "helmChart": make it two changes`,
    ],
    ['[{set: {file: a, path: b}}]', `d.yaml:8:23 ${at('[0].set')} does not say what to write: name one of value, from`],
    [
      '[{set: {file: a, path: b, value: 1, from: c}}]',
      `d.yaml:8:42 ${at('[0].set')} has both "from" and "value": keep one`,
    ],
    [
      '[{kustomizeImage: {file: a, image: b, digest: resolve}}]',
      `d.yaml:8:54 ${at('[0].kustomizeImage')} a digest is resolved for a tag: add "tag" or "from"`,
    ],
    [
      '[{copy: {from: envs, to: envs/prod}}]',
      `d.yaml:8:37 ${at('[0].copy')} "envs" and "envs/prod" overlap: copy between folders beside each other`,
    ],
    [
      '[{set: {file: a, path: "b..c", value: 1}}]',
      `d.yaml:8:39 ${at('[0].set.path')} "b..c" is not the path of a value, such as image.tag, images[0].newTag or images[name=shop].newTag`,
    ],
    ...['../a', '/etc/passwd', 'a/../b', '.git/config', 'a/.GIT/x', 'a\\\\b', 'a//b', 'C:x'].map((file) => [
      `[{set: {file: "${file}", path: b, value: 1}}]`,
      `d.yaml:8:30 ${at('[0].set.file')} ${JSON.stringify(file.replace('\\\\', '\\'))} is not a file in the repository such as envs/production/values.yaml`,
    ]),
  ])('%s is a mistake', (changes, problem) => {
    expect(problemsOf(changes)).toContain(problem);
  });

  it('ask no registry where nobody looks at what it answers', () => {
    const resolving = '[{kustomizeImage: {file: k.yaml, image: b, tag: "1", digest: resolve}}]';
    const automatic = (more: string) => problemsOf(`${resolving}\n      onPass: automatic${more}`);
    expect(automatic('')).toEqual([
      expect.stringContaining(
        `${at('[0].kustomizeImage')} a tag that moved would be promoted without being verified: let a person approve it`,
      ),
    ]);
    expect(automatic('\n      approval: {quorum: 1}')).toEqual([]);
    expect(problemsOf(resolving)).toEqual([]);
    expect(problemsOf('[{kustomizeImage: {file: k.yaml, image: b, tag: "1"}}]\n      onPass: automatic')).toEqual([]);
  });

  it('know what they are about by placeholders', () => {
    const names = { project: 'p', service: 'shop', stage: 'dev', nextStage: 'prod', revision: 'abc' };
    const changes = [
      { copy: { from: '$SERVICE/$STAGE', to: '$SERVICE/$NEXT_STAGE' } },
      { set: { file: '$SERVICE.yaml', path: 'a["$STAGE"]', value: '$REVISION of $STAGES' } },
    ];
    expect(fillChanges(changes, names)).toEqual([
      { copy: { from: 'shop/dev', to: 'shop/prod' } },
      { set: { file: 'shop.yaml', path: 'a["$STAGE"]', value: 'abc of $STAGES' } },
    ]);
    expect(() => fillChanges(changes, { ...names, service: '..' })).toThrow(EditRefusal);
  });
});
