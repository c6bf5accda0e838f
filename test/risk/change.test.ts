import { describe, expect, it } from 'vitest';
import { changeSignals, familiarity, fingerprint, footprintOf, imageSignals } from '../../src/risk/change.ts';
import { isManifest } from '../../src/risk/manifests.ts';
import { sensitiveKinds, topLevelDirectories } from '../../src/risk/signals.ts';

const file = (path: string, additions = 1, deletions = 1) => ({ path, additions, deletions });
const commit = (subject: string, author = 'Ada') => ({ subject, author });

describe('a comparison of two commits', () => {
  it('says how large the change is and how far it reaches', () => {
    const compared = {
      commits: [commit('Add stock'), commit('Fix cart')],
      totalCommits: 2,
      files: [file('shop/a.yaml', 10, 2), file('db/migrations/1.sql', 5, 0), file('README.md')],
      totalFiles: 3,
    };
    expect(changeSignals(compared, false)).toEqual({
      lines: 19,
      files: 3,
      directories: 3,
      commits: 2,
      sensitive: ['database migration'],
      rollback: false,
      noDifference: false,
    });
  });

  it('takes files that the host did not list to be like the others', () => {
    const files = Array.from({ length: 300 }, (_, at) => file(`a/${at}`));
    expect(changeSignals({ commits: [], totalCommits: 1, files, totalFiles: 600 }, false)).toMatchObject({
      lines: 1200,
      files: 600,
    });
  });

  it('knows a way back: towards what is contained, or by reverts alone', () => {
    const of = (subjects: string[], backwards = false) =>
      changeSignals(
        {
          commits: subjects.map((one) => commit(one)),
          totalCommits: subjects.length,
          files: [file('a')],
          totalFiles: 1,
        },
        backwards,
      ).rollback;
    expect(of(['Add stock'], true)).toBe(true);
    expect(of(['Revert "Add stock"', 'Revert "Fix cart"'])).toBe(true);
    expect(of(['Revert "Add stock"', 'Fix cart'])).toBe(false);
  });

  it('knows when nothing differs', () => {
    expect(
      changeSignals({ commits: [commit('Empty')], totalCommits: 1, files: [], totalFiles: 0 }, false),
    ).toMatchObject({
      noDifference: true,
      lines: 0,
    });
  });
});

describe('changed manifests', () => {
  const image = (tag: string, more = '') =>
    `spec:\n  containers:\n    - name: shop\n      image: registry/shop:${tag}\n${more}`;

  it.each([
    ['1.2.3', '1.2.4', 'patch'],
    ['1.2.3', 'v1.3.0', 'minor'],
    ['1.2.3', '2.0.0', 'major'],
    ['2.0.0', '1.9.0', 'major'],
    ['1.2.3', 'latest', 'none'],
    ['1.2.3', '1.2.3-rc.1', 'none'],
  ])('say that an image jumps from %s to %s: %s', (from, to, versionJump) => {
    expect(imageSignals([{ path: 'a.yaml', before: image(from), after: image(to) }], false)).toEqual({
      configAndImage: false,
      versionJump,
    });
  });

  it('say whether configuration changes together with an image, in one file or in two', () => {
    const bumped = { path: 'a.yaml', before: image('1.0.0'), after: image('1.0.1') };
    const both = { path: 'a.yaml', before: image('1.0.0'), after: image('1.0.1', 'replicas: 2\n') };
    const config = { path: 'b.yaml', before: 'a: 1\n', after: 'a: 2\n' };
    const comment = { path: 'b.yaml', before: 'a: 1\n', after: '# why\na: 1\n' };
    const together = (...changes: Parameters<typeof imageSignals>[0]) => imageSignals(changes, false).configAndImage;
    expect(together(bumped)).toBe(false);
    expect(together(config)).toBe(false);
    expect(together(both)).toBe(true);
    expect(together(bumped, config)).toBe(true);
    expect(together(bumped, comment)).toBe(false);
    expect(imageSignals([bumped], true).configAndImage).toBe(true);
  });

  it('are read in Kustomize and Helm values too', () => {
    const kustomize = (tag: string) => `images:\n  - name: shop\n    newTag: "${tag}"\n`;
    expect(
      imageSignals([{ path: 'k.yaml', before: kustomize('1.0.0'), after: kustomize('2.0.0') }], false).versionJump,
    ).toBe('major');
    const values = (tag: string) => `image:\n  repository: shop\n  tag: ${tag} # set by CI\n`;
    expect(imageSignals([{ path: 'v.yaml', before: values('1.0.0'), after: values('1.1.0') }], false).versionJump).toBe(
      'minor',
    );
  });

  it('are YAML files, but not those of Lynceus', () => {
    expect(
      ['a/values.yaml', 'k.yml', 'delivery.yaml', 'x/slo.yaml', 'main.ts', 'package.json'].filter(isManifest),
    ).toEqual(['a/values.yaml', 'k.yml']);
  });
});

describe('who changed what', () => {
  const of = (author: string, path: string) =>
    footprintOf({ commits: [commit('x', author)], totalCommits: 1, files: [file(path)], totalFiles: 1 });

  it('is kept without names', () => {
    expect(JSON.stringify(of('Ada Lovelace', 'shop/a.yaml'))).not.toMatch(/ada/i);
    expect(fingerprint(' Ada Lovelace')).toBe(fingerprint('ada lovelace'));
  });

  it('tells who is new in these directories', () => {
    const change = footprintOf({
      commits: [commit('x', 'Ada'), commit('y', 'Grace')],
      totalCommits: 2,
      files: [file('shop/a.yaml')],
      totalFiles: 1,
    });
    expect(familiarity(change, [])).toBeUndefined();
    expect(familiarity(change, [of('Ada', 'shop/b.yaml'), of('Grace', 'cart/b.yaml')])).toEqual({
      all: 2,
      unfamiliar: 1,
    });
  });
});

describe('paths', () => {
  it.each([
    ['db/migrations/0001_init.sql', ['database migration']],
    ['deploy/rbac.yaml', ['RBAC']],
    ['deploy/cluster-role-binding.yaml', ['RBAC']],
    ['charts/x/crds/thing.yaml', ['custom resource definition']],
    ['base/network-policy.yaml', ['network policy']],
    ['base/networkpolicies/a.yaml', ['network policy']],
    ['app/sealed-secret.yaml', ['secret']],
    ['src/secretary.ts', []],
    ['src/immigration/page.ts', []],
    ['docs/scroller.md', []],
  ])('%s is sensitive as %j', (path, kinds) => {
    expect(sensitiveKinds(['README.md', path])).toEqual(kinds);
  });

  it('are grouped by their top-level directory', () => {
    expect(topLevelDirectories(['a/b', 'a/c', 'b/c/d', 'README', 'LICENSE'])).toEqual(['a', 'b', '']);
    expect(topLevelDirectories([])).toEqual([]);
  });
});
