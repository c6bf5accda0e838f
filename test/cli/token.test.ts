import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { bearer, type HttpWorld, startHttpWorld } from '../support/http-world.ts';

const ADMIN = 'token-of-admin-8b9c0d1e2f3a';

describe('lynceus token', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({
      env: { ADMIN, LYNCEUS_ANONYMOUS_READ: 'false' },
      connections: '  - {name: root, token: {env: ADMIN}, roles: [admin]}\n',
    });
  });
  afterAll(() => world.stop());
  /** In this process: starting one for each command takes longer than all of them. */
  async function run(...args: string[]) {
    const [out, err]: [string[], string[]] = [[], []];
    const die = () => {
      throw new Error('not here');
    };
    const terminal = {
      ...{ env: {}, sources: { env: {}, readFile: () => '' }, stop: new AbortController().signal, columns: 120, die },
      out: (text: string) => void out.push(`${text}\n`),
      err: (text: string) => void err.push(`${text}\n`),
    };
    const server = ['--server', world.url, '--token', ADMIN];
    const code = await runProgram(terminal, ['token', ...args, ...server]);
    return { code, out: out.join(''), err: err.join('') };
  }

  it('makes one, tells it once, and takes it back', async () => {
    const made = await run(
      'create',
      'ci',
      '--role',
      'approver',
      '--stage',
      'staging',
      'dev',
      '--project',
      'shop',
      '--project',
      'bank',
      '--expires',
      '30d',
    );
    expect(made.code).toBe(0);
    const token = made.out.trim();
    expect(token).toMatch(/^lyn_[\w-]{43}$/);
    expect(made.err).toContain('is not told again');
    expect((await world.get('/api/v1/changes', bearer(token))).status).toBe(200);
    const listed = await run('list');
    expect(listed.out).toMatch(/^ci +approver +staging, dev +shop, bank +\d{4}-\d\d-\d\d +\d{4}-\d\d-\d\d +root/m);
    expect(listed.out).not.toContain(token);
    expect((await run('revoke', 'ci')).out).toBe('ci is revoked.\n');
    expect((await world.get('/api/v1/changes', bearer(token))).status).toBe(401);
    expect((await run('list')).out).toContain('No token was made here');
  });

  it('says what is wrong', async () => {
    const nobody = await run('revoke', 'nobody');
    expect([nobody.code, nobody.err]).toEqual([1, 'There is no token nobody: see lynceus token list.\n']);
    const bare = await run('create', 'bare');
    expect([bare.code, bare.out]).toEqual([1, '']);
    expect(bare.err).toContain('name what it allows: roles, may or both');
    expect((await run('create', 'wrong', '--role', 'root')).code).toBe(64);
  });
});
