import { describe, expect, it } from 'vitest';
import { parseConnections } from '../../src/config/connections.ts';
import { sayProblem } from '../../src/definitions/problem.ts';

const ENV: Record<string, string> = {
  ARGOCD: 'canary-argocd-0123456789abcdef',
  HOOK: 'canary-webhook-0123456789abcdef',
  ADA: 'canary-ada-0123456789abcdef',
  SHORT: 'canary-short',
  CUT_OFF: 'whsec_canarycanary',
  BLANK: ' \n',
};
const FILES: Record<string, string> = { '/run/token': 'canary-file-0123456789abcdef\n', '/run/empty': '\n' };

function read(text: string) {
  const readFile = (path: string) => {
    const found = FILES[path];
    if (found === undefined) throw new Error('ENOENT');
    return found;
  };
  return parseConnections(text, 'lynceus.yaml', { env: ENV, readFile }, { addresses: 'any', cacheDir: '/nowhere' });
}

/** The problems as people read them; no secret is ever among the words. */
function problemsOf(text: string): string[] {
  const parsed = read(text);
  const said = parsed.ok ? [] : parsed.problems.map(sayProblem);
  expect(said.join('\n')).not.toContain('canary');
  return said;
}

const file = (body: string) => `apiVersion: lynceus.dev/v1\nkind: Connections\n${body}`;
const argocd = (more: string) =>
  file(`deliverySystems:\n  - {name: main, kind: argocd, url: "https://a.example.com", token: {env: ARGOCD}, ${more}}`);

describe('lynceus.yaml', () => {
  it('takes the kubeconfig of Flux for a file of its own, not for a secret', () => {
    const missing = problemsOf(file('deliverySystems: [{name: eu, kind: flux, kubeconfig: {file: /nowhere/config}}]'));
    expect(missing).toHaveLength(1);
    expect(missing[0]).toMatch(/the kubeconfig \/nowhere\/config cannot be read$/);
  });

  it('is ready to use when it is right', () => {
    const parsed = read(`${file('')}deliverySystems:
  - name: main
    kind: argocd
    url: https://argocd.example.com
    token: {file: /run/token}
    webhookTokens: [{env: HOOK}]
    watch: true
gitHosts:
  - {name: github, kind: github, token: {env: ARGOCD}}
metrics:
  - {name: prometheus, kind: prometheus, url: "http://prometheus:9090"}
tokens:
  - {name: ada, token: {env: ADA}, groups: [payments], may: [read]}
  - {name: bob, token: {env: ARGOCD}}
`);
    if (!parsed.ok) throw new Error(parsed.problems.map(sayProblem).join('\n'));
    expect(parsed.value.deliverySystems).toMatchObject([{ system: { name: 'main' }, watch: true }]);
    expect(parsed.value.deliverySystems[0]?.webhookTokens.map((token) => token.reveal())).toEqual([ENV['HOOK']]);
    expect(parsed.value.tokens).toMatchObject([
      { name: 'ada', groups: ['payments'], rights: { may: ['read'], roles: ['viewer'], stages: [] } },
      // As before there were roles: whoever decides may do so everywhere, and also retry, pause and override.
      { name: 'bob', groups: [], rights: { may: ['read', 'report', 'query', 'decide', 'operate'], stages: 'all' } },
    ]);
    // The newline at the end of a file is not part of the secret, and every secret is known for masking.
    expect(parsed.value.secrets.toSorted()).toEqual(
      [ENV['ADA'], ENV['ARGOCD'], ENV['HOOK'], 'canary-file-0123456789abcdef'].toSorted(),
    );
  });

  it.each([
    [
      'an unknown kind',
      argocd('').replace('kind: argocd', 'kind: argcd'),
      '4:24 deliverySystems[0].kind unknown kind "argcd", did you mean "argocd"?',
    ],
    [
      'a kind that is far off',
      argocd('').replace('kind: argocd', 'kind: jenkins'),
      '4:24 deliverySystems[0].kind unknown kind "jenkins", known kinds: argocd',
    ],
    ['a missing kind', file('gitHosts: [{name: a}]'), '3:12 gitHosts[0] "kind" is missing, known kinds: local, github'],
    [
      'an entry that is no mapping',
      file('metrics: [prometheus]'),
      '3:11 metrics[0] must be a mapping, got "prometheus"',
    ],
    ['a list that is none', file('gitHosts: {name: a}'), '3:11 gitHosts must be a list, got a mapping'],
    ['an unknown section', file('githosts: []'), '3:1 unknown property "githosts", did you mean "gitHosts"?'],
    [
      'an unknown field',
      argocd('timeuot: 5s'),
      '4:84 deliverySystems[0] unknown property "timeuot", did you mean "timeout"?',
    ],
    [
      'a missing field',
      file('deliverySystems: [{name: main, kind: argocd, token: {env: ARGOCD}}]'),
      '3:19 deliverySystems[0] "url" is missing: where it answers, such as https://argocd.example.com',
    ],
    ['a wrong type', argocd('watch: "yes"'), '4:91 deliverySystems[0].watch must be true or false, got "yes"'],
    [
      'a wrong version',
      'apiVersion: lynceus.dev/v9\nkind: Connections',
      '1:13 apiVersion must be "lynceus.dev/v1", got "lynceus.dev/v9"',
    ],
    [
      'another kind of file',
      'apiVersion: lynceus.dev/v1\nkind: Delivery',
      '2:7 kind must be "Connections", got "Delivery"',
    ],
    [
      'a name that is none',
      argocd('').replace('name: main', 'name: "Main 1"'),
      '4:12 deliverySystems[0].name "Main 1" is not a name of lower-case letters, digits and "-"',
    ],
    [
      'an address that is none',
      argocd('').replace('https://a.example.com', 'argocd'),
      '4:37 deliverySystems[0].url "argocd" is not where it answers, such as https://argocd.example.com',
    ],
    [
      'a secret that is not set',
      argocd('webhookTokens: [{env: NOWHERE}]'),
      '4:100 deliverySystems[0].webhookTokens[0] the environment variable NOWHERE is not set: set it to the secret',
    ],
    [
      'a secret that is blank',
      file('tokens: [{name: ada, token: {env: BLANK}}]'),
      '3:29 tokens[0].token the environment variable BLANK is not set: set it to the secret',
    ],
    [
      'a secret in a missing file',
      file('tokens: [{name: ada, token: {file: /run/nothing}}]'),
      '3:29 tokens[0].token /run/nothing cannot be read: write the secret there, readable for this process',
    ],
    [
      'a secret in an empty file',
      file('tokens: [{name: ada, token: {file: /run/empty}}]'),
      '3:29 tokens[0].token /run/empty is empty: write the secret into it',
    ],
    [
      'a secret that stands in the file',
      file('tokens: [{name: ada, token: canary-in-the-file}]'),
      '3:29 tokens[0].token must be where the secret is: {env: NAME} or {file: PATH}, got what is written',
    ],
    [
      'a token that is too short',
      file('tokens: [{name: ada, token: {env: SHORT}}]'),
      '3:29 tokens[0].token the token is shorter than 16 characters: take a random one, e.g. of "openssl rand -hex 32"',
    ],
    [
      'a password in a URL',
      argocd('').replace('https://', 'https://ada:canary@'),
      '4:37 deliverySystems[0].url the URL holds a password: take it out, and name it by {env: NAME} or {file: PATH}',
    ],
    [
      'a right that does not exist',
      file('tokens: [{name: ada, token: {env: ADA}, may: [decides]}]'),
      '3:47 tokens[0].may[0] must be one of "read", "report", "query", "decide", "operate", "administer", got "decides", did you mean "decide"?',
    ],
    [
      'projects that restrict nothing',
      file('tokens: [{name: ada, token: {env: ADA}, roles: [admin], projects: [shop]}]'),
      '3:67 tokens[0].projects restricts nothing, for whoever administers makes tokens for every project: leave administer, or the role admin, out',
    ],
    [
      'stages that restrict nothing',
      file('tokens: [{name: ada, token: {env: ADA}, roles: [operator], stages: [staging]}]'),
      '3:68 tokens[0].stages restricts nothing, for the role operator decides everywhere: take stages with the role approver, or with may: [decide]',
    ],
    [
      'a role that does not exist',
      file('tokens: [{name: ada, token: {env: ADA}, roles: [aprover]}]'),
      '3:49 tokens[0].roles[0] must be one of "viewer", "approver", "operator", "admin", got "aprover", did you mean "approver"?',
    ],
    [
      'three tokens of a webhook',
      argocd('webhookTokens: [{env: HOOK}, {env: ADA}, {env: ARGOCD}]'),
      '4:99 deliverySystems[0].webhookTokens must have at most 2 entries',
    ],
    ['a key that stands twice', file('tokens: []\ntokens: []'), '4:1 "tokens" is there twice: keep one'],
    ['an empty file', '', '1:1 the file is empty'],
    ['a list', '- a', '1:1 must be a mapping, got a list'],
    ['a tag that runs code', file('tokens: !!js/function "x"'), '3:9'],
  ])('with %s is refused with place and remedy', (_what, text, expected) => {
    const said = problemsOf(text);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(`lynceus.yaml:${expected}`);
  });

  it('does not take one token for two callers, whichever they are', () => {
    const said = problemsOf(`${file('')}deliverySystems:
  - {name: main, kind: argocd, url: "https://a.example.com", token: {env: ARGOCD}, webhookTokens: [{env: HOOK}]}
  - {name: edge, kind: argocd, url: "https://b.example.com", token: {env: ARGOCD}, webhookTokens: [{env: HOOK}]}
tokens:
  - {name: ada, token: {env: HOOK}}
  - {name: bob, token: {env: ADA}}
  - {name: eve, token: {env: ADA}}
`);
    expect(said).toEqual([
      'lynceus.yaml:5:100 deliverySystems[1].webhookTokens[0] is the token of webhooks from "main" too: give each its own',
      'lynceus.yaml:7:24 tokens[0].token is the token of webhooks from "main" too: give each its own',
      'lynceus.yaml:9:24 tokens[2].token is the token of "bob" too: give each its own',
    ]);
  });

  it('gives each Git host secrets of its own for its webhooks, and a plain repository none', () => {
    const said = problemsOf(`${file('')}deliverySystems:
  - {name: main, kind: argocd, url: "https://a.example.com", token: {env: ARGOCD}, webhookTokens: [{env: HOOK}]}
gitHosts:
  - {name: main, kind: github, token: {env: ARGOCD}, webhookTokens: [{env: HOOK}]}
  - {name: other, kind: github, token: {env: ARGOCD}, webhookTokens: [{env: CUT_OFF}]}
  - {name: plain, kind: local, urls: [/srv/git], webhookTokens: [{env: ADA}]}
`);
    expect(said).toEqual([
      'lynceus.yaml:6:70 gitHosts[0].webhookTokens[0] is the token of webhooks from "main" too: give each its own',
      'lynceus.yaml:7:71 gitHosts[1].webhookTokens[0] the signing token is cut off: copy all of what GitLab shows, from "whsec_" on',
      expect.stringContaining('lynceus.yaml:8:50 gitHosts[2] unknown property "webhookTokens"'),
    ]);
  });

  it('gives tokens roles, and approvers their stages', () => {
    const parsed = read(`${file('')}tokens:
  - {name: ada, token: {env: ADA}, roles: [approver], stages: [staging, prod-eu]}
  - {name: bob, token: {env: HOOK}, may: [report, decide], stages: [staging], projects: [shop]}
  - {name: root, token: {env: ARGOCD}, roles: [admin]}
`);
    if (!parsed.ok) throw new Error(parsed.problems.map(sayProblem).join('\n'));
    expect(parsed.value.tokens.map(({ rights }) => rights)).toEqual([
      { may: ['read', 'decide'], roles: ['viewer', 'approver'], stages: ['staging', 'prod-eu'] },
      { may: ['report', 'decide'], roles: [], stages: ['staging'], projects: ['shop'] },
      {
        may: ['read', 'report', 'query', 'decide', 'operate', 'administer'],
        roles: ['viewer', 'approver', 'operator', 'admin'],
        stages: 'all',
      },
    ]);
  });

  it('does not take one name for two, as one would act with the rights of the other', () => {
    const said = problemsOf(`${file('')}gitHosts:
  - {name: github, kind: github, token: {env: ARGOCD}}
  - {name: github, kind: local, urls: [/srv/git]}
tokens:
  - {name: ada, token: {env: ADA}, may: [read]}
  - {name: ada, token: {env: HOOK}, may: [decide]}
`);
    expect(said).toEqual([
      'lynceus.yaml:5:12 gitHosts[1].name "github" is used twice: names are unique within gitHosts',
      'lynceus.yaml:8:12 tokens[1].name "ada" is used twice: names are unique within tokens',
    ]);
  });

  it('says how soon forecasts forget, within reason', () => {
    const forecast = (value: string) => read(file(`forecast: ${value}`));
    expect(forecast('{halfLifeRuns: 10}')).toMatchObject({ ok: true, value: { forecast: { halfLifeRuns: 10 } } });
    expect(read(file('deliverySystems: []'))).toMatchObject({ ok: true, value: { forecast: {} } });
    expect(problemsOf(file('forecast: {halfLifeRuns: 1}'))).toEqual([expect.stringContaining('halfLifeRuns')]);
    expect(problemsOf(file('forecast: {halflife: 10}'))).toEqual([expect.stringContaining('halflife')]);
  });

  it('tells all its mistakes at once, from top to bottom', () => {
    const said = problemsOf(`${file('')}deliverySystems:
  - {name: main, kind: argcd}
  - {name: edge, kind: argocd, url: nowhere, token: {env: NOWHERE}, wacth: true}
gitHosts:
  - {name: github, kind: github, token: {file: /run/nothing}}
tokens:
  - {name: ada, token: {env: SHORT}, may: [everything]}
`);
    expect(said.map((line) => line.replace(/^lynceus\.yaml:(\d+):.*$/, '$1'))).toEqual([
      '4',
      '5',
      '5',
      '5',
      '7',
      '9',
      '9',
    ]);
  });

  it.each([
    [
      'a bomb of aliases',
      `${file('')}a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`).join(',')}]`)
        .join('\n')}\n`,
    ],
    ['a nesting of 10,000', `${file('')}a: ${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['ten megabytes', `${file('')}# ${'x'.repeat(10_000_000)}`],
    ['two documents', `${file('')}---\n${file('')}`],
    ['a prototype', `${file('')}__proto__: {tokens: []}`],
    ['bytes of something else', '\u0000\u0001\ufffd\ufffd'],
  ])('is refused quickly when it holds %s', (_what, text) => {
    const began = performance.now();
    const [first = ''] = problemsOf(text);
    expect(first).toMatch(/^lynceus\.yaml:\d+:\d+ /);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
