import { describe, expect, it } from 'vitest';
import type { PromotionChange } from '../../../src/definitions/delivery-changes.ts';
import { sayProblem } from '../../../src/definitions/problem.ts';
import { planEdits } from '../../../src/promotion/edits/plan-edits.ts';
import { applied, type Files, tree } from './trees.ts';

function plan(changes: PromotionChange[], source: Files, target: Files) {
  const planned = planEdits(changes, tree(source, 'a'), tree(target, 'b'));
  return { ...planned, problems: planned.problems.map(sayProblem), after: applied(planned.edits, source, target) };
}

/** One change between two files, for what is about a file's text. */
function edited(change: PromotionChange, before: string, source: Files = {}, file = 'prod.yaml') {
  const { after, problems } = plan([change], source, { [file]: before });
  return problems.length > 0 ? problems : after[file];
}

describe('setting a value', () => {
  const set = (path: string, value: string | number | boolean | null): PromotionChange => ({
    set: { file: 'prod.yaml', path, value },
  });

  it('changes nothing else: comments, order, spaces, quotes and ends of lines stay', () => {
    const before =
      '# shop\r\nimage:   # which\r\n  tag:  "1.2"   # {"$imagepolicy": "a:b:tag"}\r\n\r\nlist: [ a,b ]\r\n';
    expect(edited(set('image.tag', '1.3'), before)).toBe(before.replace('"1.2"', '"1.3"'));
  });

  it.each([
    ['plain text', 'tag: abc\n', 'v2', 'tag: v2\n'],
    ['a single quoted text', "tag: 'a'\n", "it's", "tag: 'it''s'\n"],
    ['text that reads as a number', 'tag: 1.9\n', '1.10', 'tag: "1.10"\n'],
    ['text that reads as octal', 'tag: v1\n', '0123', 'tag: "0123"\n'],
    ['text that reads as a truth for old readers', 'tag: v1\n', 'yes', 'tag: "yes"\n'],
    ['text that reads as sixty minutes', 'tag: v1\n', '1:30', 'tag: "1:30"\n'],
    ['text that reads as a date', 'tag: v1\n', '2026-11-21', 'tag: "2026-11-21"\n'],
    ['a commit of digits', 'tag: v1\n', '1234567', 'tag: "1234567"\n'],
    ['a commit that reads as a power', 'tag: v1\n', '12e4567', 'tag: "12e4567"\n'],
    ['text with a colon and a space', 'tag: v1\n', 'a: b', 'tag: "a: b"\n'],
    ['nothing', 'tag: v1\n', '', 'tag: ""\n'],
    ['lines', 'tag: v1\n', 'a\nb', 'tag: "a\\nb"\n'],
    ['an image', 'tag: v1\n', 'ghcr.io/a/b:1.2@sha256:ab', 'tag: ghcr.io/a/b:1.2@sha256:ab\n'],
    ['a number', 'tag: 2 # two\n', 3, 'tag: 3 # two\n'],
    ['truth', 'tag: 2\n', true, 'tag: true\n'],
    ['an empty value', 'tag:\nb: 1\n', 'v1', 'tag: v1\nb: 1\n'],
    ['an empty value with a comment', 'tag: # none yet\nb: 1\n', 'v1', 'tag: v1 # none yet\nb: 1\n'],
    ['a value over two lines', 'tag: a\n  b # c\nx: 1\n', 'v1', 'tag: v1 # c\nx: 1\n'],
    ['a new key', 'b: 1 # one\n', 'v1', 'b: 1 # one\ntag: v1\n'],
    ['a new key without an end of line', 'b: 1', 'v1', 'b: 1\ntag: v1'],
    ['a new key behind a byte order mark', '\uFEFFb: 1\n', 'v1', '\uFEFFb: 1\ntag: v1\n'],
    ['a new key in one line', '{b: 1}\n', 'v1', '{b: 1, tag: v1}\n'],
    ['a new key behind a nested mapping', 'b:\n  c: 1\n# end\n', 'v1', 'b:\n  c: 1\ntag: v1\n# end\n'],
  ])('writes %s', (_, before, value, after) => {
    expect(edited(set('tag', value), before)).toBe(after);
  });

  it('takes no space for the end of a line that is none in YAML', () => {
    const odd = 'a: \u205f\nb: x\u00a0 # why\n';
    const { edits, problems } = planEdits(
      [{ set: { file: 'f.yaml', path: 'a', value: 'one' } }, { set: { file: 'f.yaml', path: 'b', value: 'two' } }],
      tree({}, 'a'),
      tree({ 'f.yaml': odd }, 'b'),
    );
    expect(problems).toEqual([]);
    expect(applied(edits, {}, { 'f.yaml': odd })['f.yaml']).toBe('a: one\nb: two # why\n');
  });

  it('finds values in lists, by position and by a field, and by keys with dots', () => {
    const before = 'a:\n  - name: x\n    t: 1\n  - name: y\n    t: 1\nm: {"a.b/c": 1}\n';
    expect(edited(set('a[0].t', 2), before)).toBe(before.replace('t: 1', 't: 2'));
    expect(edited(set('a[name=y].t', 2), before)).toBe(before.replace('y\n    t: 1', 'y\n    t: 2'));
    expect(edited(set('m["a.b/c"]', 2), before)).toBe(before.replace('"a.b/c": 1', '"a.b/c": 2'));
  });

  it('chooses among several documents by where the value is, or by the name of the resource', () => {
    const before =
      'kind: A\nmetadata: {name: x}\nspec: {v: 1}\n---\nkind: B\nmetadata: {name: y}\nspec: {v: 1, w: 1}\n';
    expect(edited(set('spec.w', 2), before)).toBe(before.replace('w: 1', 'w: 2'));
    expect(edited({ set: { file: 'prod.yaml', resource: 'A/x', path: 'spec.v', value: 2 } }, before)).toBe(
      before.replace('v: 1', 'v: 2'),
    );
    expect(edited(set('spec.v', 2), before)).toEqual([
      'prod.yaml:1:1 spec.v is in 2 documents of the file: say which one with "resource"',
    ]);
  });

  it('writes JSON as JSON', () => {
    const before = '{\n\t"image": {\n\t\t"tag": "a\\/b"\n\t}\n}\n';
    const change = (path: string, value: string | number) => ({ set: { file: 'prod.json', path, value } });
    expect(edited(change('image.tag', 'yes'), before, {}, 'prod.json')).toBe(before.replace('a\\/b', 'yes'));
    expect(edited(change('image.size', 2), before, {}, 'prod.json')).toBe(
      before.replace('b"\n', 'b",\n\t\t"size": 2\n'),
    );
  });

  it.each([
    ['not there', 'a: 1\n', 'b.c', 'prod.yaml:1:1 b.c there is no b'],
    ['an alias', 'x: &t v1\ntag: *t\n', 'tag', 'prod.yaml:2:6 tag is an alias (*t): write the value itself there'],
    [
      'shared with others',
      'x: &t {tag: 1}\ny: *t\n',
      'x.tag',
      'prod.yaml:1:7 x.tag has an anchor (&t), so it would change in other places, too',
    ],
    ['there twice', 'tag: 1\ntag: 2\n', 'tag', 'prod.yaml:2:1 tag is there twice: keep one'],
    [
      'tagged',
      'tag: !!str 1\n',
      'tag',
      'prod.yaml:1:12 tag has a tag (tag:yaml.org,2002:str): write the value without one',
    ],
    [
      'a mapping',
      'tag: {a: 1}\n',
      'tag',
      'prod.yaml:1:6 tag is a mapping or a list, which one value cannot take the place of',
    ],
    ['a text block', 'tag: |\n  a\n', 'tag', 'prod.yaml:1:6 tag is a text over several lines: write it on one line'],
    [
      'in a template',
      'tag: {{ .x }}\n',
      'tag',
      expect.stringMatching(/^prod\.yaml:1:\d+ is no YAML that can be edited/),
    ],
    ['in an empty file', '', 'tag', 'prod.yaml:1:1 tag is not there: the file is empty'],
  ])('refuses a value that is %s, and says where', (_, before, path, message) => {
    expect(edited(set(path, 'v1'), before)).toEqual([message]);
  });

  it('takes the value, with its type, from the verified commit', () => {
    const from = { 'dev.yaml': 'a: {n: 0x10, t: "1.10", b: true}\n' };
    const take = (path: string) => ({ set: { file: 'prod.yaml', path, from: 'dev.yaml' } });
    expect(edited(take('a.n'), 'a:\n  n: 1\n', from)).toBe('a:\n  n: 0x10\n');
    expect(edited(take('a.t'), 'a:\n  t: 1.9\n', from)).toBe('a:\n  t: "1.10"\n');
    expect(
      edited({ set: { file: 'prod.yaml', path: 'x', from: { file: 'dev.yaml', path: 'a.b' } } }, 'x: false\n', from),
    ).toBe('x: true\n');
    expect(edited(take('a'), 'a: 1\n', from)).toEqual([
      'dev.yaml:1:4 a is a mapping or a list: name the values in it one by one, or copy the file',
    ]);
    expect(edited(take('c'), 'c: 1\n', {})).toEqual(['dev.yaml:1:1 is not there in the verified commit']);
  });
});

describe('an image of a kustomization', () => {
  const before =
    'images:\n  # the shop\n  - name: acme/shop # here\n    newTag: v1 # tag\n  - name: acme/db\n    newTag: "5"\n';
  const change = (more: object): PromotionChange => ({
    kustomizeImage: { file: 'prod.yaml', image: 'acme/shop', ...more },
  });

  it('gets a tag, a digest, a name', () => {
    expect(edited(change({ tag: 'v2' }), before)).toBe(before.replace('v1', 'v2'));
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(edited(change({ digest }), before)).toBe(before.replace('newTag: v1 # tag', `digest: ${digest}`));
    expect(edited(change({ newName: 'mirror/shop' }), before)).toBe(
      before.replace('v1 # tag\n', 'v1 # tag\n    newName: mirror/shop\n'),
    );
  });

  it('is what the verified commit has', () => {
    const digest = `sha256:${'b'.repeat(64)}`;
    const dev = `images: [{name: acme/shop, digest: "${digest}"}]\n`;
    expect(edited(change({ from: 'dev.yaml' }), before, { 'dev.yaml': dev })).toBe(
      before.replace('newTag: v1 # tag', `digest: ${digest}`),
    );
    expect(edited(change({ from: 'dev.yaml' }), dev, { 'dev.yaml': before })).toBe(
      'images: [{name: acme/shop, newTag: v1}]\n',
    );
  });

  it('that is not listed is named', () => {
    expect(edited(change({ tag: 'v2' }), 'images: []\n')).toEqual([
      'prod.yaml:1:1 does not list acme/shop in "images": add "- name: acme/shop" there',
    ]);
  });

  it('is asked for at its registry before anything is written', () => {
    const wish = [change({ tag: 'v2', digest: 'resolve' })];
    const first = plan(wish, {}, { 'prod.yaml': before });
    expect(first).toMatchObject({ edits: [], unresolved: [{ image: 'acme/shop', tag: 'v2' }], problems: [] });
    const digest = `sha256:${'c'.repeat(64)}`;
    const second = planEdits(wish, tree({}, 'a'), tree({ 'prod.yaml': before }, 'b'), () => digest);
    expect(applied(second.edits, {}, { 'prod.yaml': before })['prod.yaml']).toBe(
      before.replace('newTag: v1 # tag\n', `newTag: v2 # tag\n    digest: ${digest}\n`),
    );
  });
});

describe('the version of a chart', () => {
  const change = (more: object): PromotionChange => ({
    helmChart: { file: 'prod.yaml', chart: 'shop', version: '1.10.0', ...more },
  });
  const release =
    'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shop}\nspec:\n  chart:\n    spec:\n      chart: shop\n      version: 1.9.0 # now\n';
  const application =
    'kind: Application\nmetadata: {name: shop}\nspec:\n  sources:\n    - repoURL: r\n      chart: shop\n      targetRevision: 1.9.0\n    - {repoURL: g, ref: values, targetRevision: main}\n';

  it.each([
    ['a HelmRelease', release],
    ['an Application', application],
    [
      'an Application with one source',
      'kind: Application\nmetadata: {name: a}\nspec:\n  source: {chart: shop, targetRevision: 1.9.0}\n',
    ],
    [
      'an ApplicationSet',
      'kind: ApplicationSet\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      source: {chart: shop, targetRevision: 1.9.0}\n',
    ],
    [
      'Chart.yaml',
      'apiVersion: v2\nname: umbrella\ndependencies:\n- {name: db, version: 1.9.0}\n- name: shop\n  version: "1.9.0"\n'.replace(
        'db, version: 1.9.0',
        'db, version: 3.0.0',
      ),
    ],
    ['a kustomization', 'helmCharts:\n- name: shop\n  version: 1.9.0\n'],
  ])('is written in %s', (_, before) => {
    expect(edited(change({}), before)).toBe(before.replace('1.9.0', '1.10.0'));
  });

  it('is taken from the verified commit, whatever kind of file says it there', () => {
    const taken = { ...change({}).helmChart, version: undefined, from: 'dev.yaml' } as never;
    expect(edited({ helmChart: taken }, release, { 'dev.yaml': application.replace('1.9.0', '2.0') })).toBe(
      release.replace('1.9.0', '"2.0"'),
    );
  });

  it('is not guessed at', () => {
    expect(edited(change({ chart: 'x' }), release)).toEqual(['prod.yaml:1:1 does not name the chart x']);
    expect(edited(change({}), `${release}---\n${application}`)).toEqual([
      'prod.yaml:1:1 names the chart shop 2 times: say which one with "resource"',
    ]);
    expect(edited(change({ resource: 'HelmRelease/shop' }), `${release}---\n${application}`)).toBe(
      `${release.replace('1.9.0', '1.10.0')}---\n${application}`,
    );
  });
});

describe('an OCIRepository of Flux', () => {
  const before =
    'kind: OCIRepository\nmetadata: {name: shop}\nspec:\n  url: oci://ghcr.io/acme/shop\n  ref:\n    tag: v1 # now\n';
  const digest = `sha256:${'d'.repeat(64)}`;

  it('gets a tag or a digest', () => {
    expect(edited({ ociRepository: { file: 'prod.yaml', tag: '1.10' } }, before)).toBe(before.replace('v1', '"1.10"'));
    expect(edited({ ociRepository: { file: 'prod.yaml', digest } }, before)).toBe(
      before.replace('tag: v1 # now', `digest: ${digest}`),
    );
  });

  it('is what the verified commit has', () => {
    const dev = `kind: OCIRepository\nmetadata: {name: dev}\nspec: {url: "oci://x", ref: {digest: "${digest}"}}\n`;
    expect(edited({ ociRepository: { file: 'prod.yaml', from: 'dev.yaml' } }, before, { 'dev.yaml': dev })).toBe(
      before.replace('tag: v1 # now', `digest: ${digest}`),
    );
  });

  it('is asked for at the registry that its url names', () => {
    const { unresolved } = plan(
      [{ ociRepository: { file: 'prod.yaml', tag: 'v2', digest: 'resolve' } }],
      {},
      { 'prod.yaml': before },
    );
    expect(unresolved).toEqual([{ image: 'ghcr.io/acme/shop', tag: 'v2' }]);
  });
});

describe("a marker of Flux' image automation", () => {
  const before = [
    'image: ghcr.io/acme/shop:1.2 # {"$imagepolicy": "flux-system:shop"}',
    'values:',
    '  repository: "ghcr.io/acme/shop" # {"$imagepolicy": "flux-system:shop:name"}',
    '  tag: \'1.2\' # keep {"$imagepolicy": "flux-system:shop:tag"}',
    '  list: [a] # {"$imagepolicy": "flux-system:shop:tag"}',
    '  other: 9 # {"$imagepolicy": "flux-system:other:tag"}',
    'last: 1.2 # {"$imagepolicy": "flux-system:shop:tag"}',
  ].join('\n');

  it('says what is written, and stays', () => {
    const change = { imagePolicy: { file: 'prod.yaml', policy: 'flux-system:shop', image: 'r:5000/new:1.3' } };
    expect(edited(change, before)).toBe(
      before
        .replace('ghcr.io/acme/shop:1.2', 'r:5000/new:1.3')
        .replace('"ghcr.io/acme/shop"', '"r:5000/new"')
        .replace("'1.2'", "'1.3'")
        .replace('last: 1.2', 'last: "1.3"'),
    );
  });

  it('takes what the verified commit has for the policy', () => {
    const dev = { 'dev.yaml': 'i: a/b:2.0 # {"$imagepolicy": "flux-system:shop-dev"}\n' };
    const from = { file: 'dev.yaml', policy: 'flux-system:shop-dev' };
    const prod = 't: 1.0 # {"$imagepolicy": "flux-system:shop:tag"}\n';
    expect(edited({ imagePolicy: { file: 'prod.yaml', policy: 'flux-system:shop', from } }, prod, dev)).toBe(
      prod.replace('1.0', '"2.0"'),
    );
    expect(
      edited(
        { imagePolicy: { file: 'prod.yaml', policy: 'flux-system:shop', from } },
        prod.replace(':tag', ':digest'),
        dev,
      ),
    ).toEqual([
      'prod.yaml:1:1 has a marker for the digest of flux-system:shop, which the verified commit does not say',
    ]);
  });

  it('is found beside a comment that is made to keep us busy', () => {
    const change = { imagePolicy: { file: 'prod.yaml', policy: 'flux-system:shop', image: 'a/b:2.0' } };
    const text = `x: 1 # ${'{'.repeat(250_000)}\nt: 1.0 # {"$imagepolicy": "flux-system:shop:tag"}\n`;
    expect(edited(change, text)).toBe(text.replace('t: 1.0', 't: "2.0"'));
  });
});

describe('copying a folder', () => {
  const source = {
    'envs/dev/app.yaml': 'replicas: 1\nimage: {tag: v2}\n',
    'envs/dev/new.yaml': 'a: 1\n',
    'envs/dev/sub/same.yaml': 's: 1\n',
    'envs/dev/secret.env': 'x',
    'envs/development/no.yaml': 'no',
  };
  const target = {
    'envs/prod/app.yaml': '# ours\nreplicas: 5 # many\nimage: {tag: v1}\n',
    'envs/prod/gone.yaml': 'g: 1\n',
    'envs/prod/sub/same.yaml': 's: 1\n',
    'envs/prod/secret.env': 'theirs',
    'README.md': 'hi',
  };
  const copy = {
    from: 'envs/dev',
    to: 'envs/prod',
    exclude: ['**/*.env'],
    keep: [{ file: 'app.yaml', path: 'replicas' }],
  };

  it('brings what is there, takes away what is gone, leaves out what is excluded, keeps what is kept', () => {
    const { after, summary, problems } = plan([{ copy }], source, target);
    expect(problems).toEqual([]);
    expect(after).toEqual({
      'README.md': 'hi',
      'envs/prod/app.yaml': 'replicas: 5\nimage: {tag: v2}\n',
      'envs/prod/new.yaml': 'a: 1\n',
      'envs/prod/sub/same.yaml': 's: 1\n',
      'envs/prod/secret.env': 'theirs',
    });
    expect(summary).toEqual([
      { path: 'envs/prod/app.yaml', what: 'copied from envs/dev/app.yaml, but for replicas' },
      { path: 'envs/prod/new.yaml', what: 'new, copied from envs/dev/new.yaml' },
      { path: 'envs/prod/gone.yaml', what: 'deleted, as envs/dev no longer has it' },
    ]);
  });

  it('can be followed by what is set in the copied files', () => {
    const changes = [{ copy }, { set: { file: 'envs/prod/new.yaml', path: 'a', value: 2 } }];
    expect(plan(changes, source, target).after['envs/prod/new.yaml']).toBe('a: 2\n');
  });

  it('changes nothing when it is done again', () => {
    const changes = [{ copy }, { set: { file: 'envs/prod/new.yaml', path: 'a', value: 2 } }];
    const { after } = plan(changes, source, target);
    expect(plan(changes, source, after)).toMatchObject({ edits: [], summary: [], problems: [] });
  });

  it('keeps whole mappings, which have to be written alike', () => {
    const keep = [{ file: 'app.yaml', path: 'resources' }];
    const dev = { 'd/app.yaml': 'resources:\n  cpu: 1\nx: 1\n' };
    const prod = { 'p/app.yaml': 'resources:\n  cpu: 8 # lots\n  memory: 2Gi\nx: 0\n' };
    const { after } = plan([{ copy: { from: 'd', to: 'p', keep } }], dev, prod);
    expect(after['p/app.yaml']).toBe('resources:\n  cpu: 8 # lots\n  memory: 2Gi\nx: 1\n');
    const odd = plan([{ copy: { from: 'd', to: 'p', keep } }], dev, {
      'p/app.yaml': 'resources:\n    cpu: 8\n    memory: 1\n',
    });
    expect(odd.problems).toEqual([
      'd/app.yaml:2:3 resources is indented otherwise in the other file: write both alike (to keep the value of p/app.yaml)',
    ]);
  });

  it('brings along a value to keep that the target does not have yet', () => {
    const keep = [{ file: 'app.yaml', path: 'replicas' }];
    const { after } = plan(
      [{ copy: { from: 'd', to: 'p', keep } }],
      { 'd/app.yaml': 'replicas: 1\n' },
      { 'p/app.yaml': 'x: 1\n' },
    );
    expect(after['p/app.yaml']).toBe('replicas: 1\n');
  });

  it('takes only what is included', () => {
    const { after } = plan([{ copy: { from: 'envs/dev', to: 'envs/prod', include: ['*.yaml'] } }], source, target);
    expect(Object.keys(after).sort()).toEqual(
      [
        'README.md',
        'envs/prod/app.yaml',
        'envs/prod/new.yaml',
        'envs/prod/secret.env',
        'envs/prod/sub/same.yaml',
      ].sort(),
    );
  });

  it('never takes an empty folder for one whose files are gone', () => {
    expect(plan([{ copy: { from: 'envs/deev', to: 'envs/prod' } }], source, target)).toMatchObject({
      edits: [],
      problems: ['envs/deev:1:1 has no files to copy in the verified commit'],
    });
  });

  it('refuses links and submodules, in both folders and on the way to a file that is written', () => {
    const link = { 'envs/dev/link': { link: '/etc/passwd' }, 'envs/dev/a.yaml': 'a: 1\n' };
    const refused = (changes: PromotionChange[], from: Files, to: Files) => plan(changes, from, to).problems;
    expect(refused([{ copy: { from: 'envs/dev', to: 'envs/prod' } }], link, target)).toEqual([
      'envs/dev/link:1:1 is a symbolic link, which is not copied: leave it out with "exclude"',
    ]);
    expect(
      refused([{ copy: { from: 'envs/dev', to: 'envs/prod' } }], source, { 'envs/prod/mod': { submodule: true } }),
    ).toEqual(['envs/prod/mod:1:1 is a submodule, which is not copied: leave it out with "exclude"']);
    expect(
      refused([{ set: { file: 'p/a.yaml', path: 'a', value: 1 } }], {}, { 'p/a.yaml': { link: 'b.yaml' } }),
    ).toEqual(['p/a.yaml:1:1 is a symbolic link on the branch of the next stage: name the file itself']);
  });
});

describe('too much', () => {
  const file = Array.from({ length: 6000 }, (_, at) => `k${at}:\n  name: value-${at} # ${at}\n`).join('');

  it('of one file is parsed once and looked at once, however much is changed in it', () => {
    const changes = Array.from({ length: 30 }, (_, at) => ({
      set: { file: 'f.yaml', path: `k${at}.name`, value: `${at}` },
    }));
    const { problems, after } = plan(changes, {}, { 'f.yaml': file });
    expect(problems).toEqual([]);
    expect(after['f.yaml']).toContain('k29:\n  name: "29" # 29\n');
  });

  it('is refused before it keeps everybody waiting', () => {
    const changes = Array.from({ length: 30 }, (_, at) => ({ set: { file: 'f.yaml', path: `k${at}.new`, value: 1 } }));
    const { problems, edits } = plan(changes, {}, { 'f.yaml': file });
    expect(problems[0]).toBe('f.yaml:1:1 is one large file too many: change fewer values, or smaller files');
    expect(edits).toEqual([]);
  });
});
