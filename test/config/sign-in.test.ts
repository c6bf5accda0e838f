import { describe, expect, it } from 'vitest';
import { parseConnections } from '../../src/config/connections.ts';
import { sayProblem } from '../../src/definitions/problem.ts';

const env = { SSO: 'secret-of-the-client-0123456789' };
const parse = (body: string, addresses: 'any' | 'operator' = 'operator') =>
  parseConnections(
    `apiVersion: lynceus.dev/v1\nkind: Connections\n${body}`,
    'lynceus.yaml',
    { env, readFile: () => '' },
    { addresses, cacheDir: '/nowhere' },
  );
const oidc = (fields: string, roles = '[{group: a, role: viewer}]') =>
  `signIn: {oidc: {issuer: "https://sso.example.com", clientId: l, roles: ${roles}${fields}}}`;

describe('signIn in lynceus.yaml', () => {
  it('takes a provider, with its secret masked and its groups mapped', () => {
    const parsed = parse(
      oidc(
        ', clientSecret: {env: SSO}, name: SSO',
        '[{group: qa, role: approver, stages: [dev]}, {group: "*", role: viewer}]',
      ),
    );
    if (!parsed.ok) throw new Error(parsed.problems.map(sayProblem).join('\n'));
    expect(parsed.value.signIn?.provider.name).toBe('SSO');
    expect(parsed.value.signIn?.grants).toEqual([
      { group: 'qa', role: 'approver', stages: ['dev'] },
      { group: '*', role: 'viewer' },
    ]);
    expect(parsed.value.secrets).toContain(env.SSO);
  });

  it('calls a provider without a name by its host', () => {
    const parsed = parse(oidc(''));
    expect(parsed.ok && parsed.value.signIn?.provider.name).toBe('sso.example.com');
  });

  it.each([
    [oidc('', '[{group: a, role: boss}]'), '3:90 signIn.oidc.roles[0].role must be one of "viewer", "approver"'],
    [oidc('', '[]'), 'signIn.oidc.roles must have at least 1'],
    [
      oidc('', '[{group: a, role: operator, stages: [dev]}]'),
      'signIn.oidc.roles[0].stages are for the role approver: operator has none',
    ],
    [oidc(', clientSecret: secret'), 'signIn.oidc.clientSecret'],
    [oidc(', clientSecret: {env: NOWHERE}'), 'the environment variable NOWHERE is not set'],
    [oidc(', clientid: x'), 'did you mean "clientId"?'],
    [oidc(', scopes: ["openid email"]'), 'signIn.oidc.scopes[0]'],
    [oidc(', timeout: soon'), 'signIn.oidc.timeout'],
    [
      'signIn: {oidc: {issuer: "http://sso.example.com", clientId: l, roles: [{group: a, role: viewer}]}}',
      '3:16 signIn.oidc the issuer must be https://',
    ],
    ['signIn: {saml: {}}', '3:10 signIn unknown property "saml", known here: oidc'],
    ['page: {frameAncestors: ["https://a.example.com; script-src *"]}', 'page.frameAncestors[0]'],
    ['page: {frameAncestors: ["*"]}', 'page.frameAncestors[0]'],
    ['page: {frameAncestors: ["https://a.example.com/path"]}', 'page.frameAncestors[0]'],
  ])('refuses %s', (body, words) => {
    const parsed = parse(body);
    const said = parsed.ok ? [] : parsed.problems.map(sayProblem);
    expect(said.length).toBeGreaterThan(0);
    expect(said.join('\n')).toMatch(/^lynceus\.yaml:\d+:\d+ /);
    expect(said.join('\n')).toContain(words);
    expect(said.join('\n')).not.toContain(env.SSO);
  });
});
