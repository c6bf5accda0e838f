import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../src/app.ts';
import { parseEnvironment } from '../../src/config/environment.ts';
import { createVisitor, csrfOf } from '../support/sign-in.ts';

let folder: string;
const lines: string[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lynceus-first-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(more: string): Promise<App> {
  const configFile = join(folder, 'lynceus.yaml');
  writeFileSync(configFile, `apiVersion: lynceus.dev/v1\nkind: Connections\n${more}`);
  const env = { LYNCEUS_CONFIG: configFile, LYNCEUS_DATA_DIR: join(folder, 'data'), LYNCEUS_LISTEN: '127.0.0.1:0' };
  const environment = parseEnvironment({ ...env, LYNCEUS_ANONYMOUS_READ: 'false' }, () => '');
  if (!environment.ok) throw new Error(environment.problems.join('\n'));
  const logStream = { write: (line: string) => void lines.push(line) };
  return startApp({ environment: environment.value, sources: { env, readFile: () => '' }, logStream });
}
const told = () => /lyn_once_[\w-]{43}/.exec(lines.join(''))?.[0];

describe('a service that nobody has configured', () => {
  it('lets the first person in with the password of its log, who makes the first token', async () => {
    const app = await start('');
    const password = told() ?? '';
    expect(lines.join('')).toContain(`"signIn":"${app.address}/sign-in"`);
    const visitor = createVisitor(app.address);
    const page = await visitor.follow(await visitor.get('/changes'));
    expect(page.main).toContain('The log of the service tells a password');
    const fields = { ...page.form?.fields, token: password };
    const entered = await visitor.post('/sign-in', fields);
    expect(entered.location).toBe(`${app.address}/changes`);
    expect((await visitor.follow(entered)).text).toContain('first admin');
    const made = await fetch(`${app.address}/api/v1/tokens`, {
      method: 'POST',
      body: JSON.stringify({ name: 'root', roles: ['admin'] }),
      headers: {
        'Content-Type': 'application/json',
        Cookie: `lynceus=${visitor.cookie('lynceus')}`,
        'X-CSRF-Token': await csrfOf(visitor),
      },
    });
    expect(made.status).toBe(201);
    // Once.
    const thief = createVisitor(app.address);
    const form = (await thief.get('/sign-in')).form?.fields;
    expect((await thief.post('/sign-in', { ...form, token: password })).status).toBe(401);
    await app.stop();
  });

  it('tells no second password while there is a way in', async () => {
    lines.length = 0;
    await (await start('')).stop();
    expect(told()).toBeUndefined();
  });

  it('does not start with a provider that could not send anybody back', async () => {
    const provider = '{issuer: "https://sso.example.com", clientId: l, roles: [{group: a, role: viewer}]}';
    await expect(start(`signIn: {oidc: ${provider}}\n`)).rejects.toThrow('signIn needs LYNCEUS_PUBLIC_URL');
  });
});
