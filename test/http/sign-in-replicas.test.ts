import { expect, it } from 'vitest';
import { type HttpWorld, startHttpWorld, TOKENS } from '../support/http-world.ts';
import { withPostgres } from '../support/postgres.ts';
import { createVisitor, csrfOf, signInWithToken } from '../support/sign-in.ts';

withPostgres('two replicas', (database) => {
  const start = () => startHttpWorld({ env: { DATABASE_URL: database.url, LYNCEUS_ANONYMOUS_READ: 'false' } });

  it('know each other’s sessions, and end them together at once', async () => {
    const worlds: HttpWorld[] = [await start(), await start()];
    const [one, other] = worlds.map(({ url }) => createVisitor(url));
    if (!one || !other) throw new Error('both are there');
    expect((await signInWithToken(one, TOKENS.APPROVER)).status).toBe(303);
    const cookie = one.cookie('lynceus') ?? '';
    other.setCookie('lynceus', cookie);
    expect((await other.get('/changes')).text).toContain('approver');
    // A form of the one is a form of the other: the same session.
    const decision = { csrf: await csrfOf(one), verdict: 'approve', reason: 'r', revision: 'c' };
    expect((await other.post('/changes/nothing/decisions', decision)).status).toBe(404);
    expect((await one.post('/sign-out', { csrf: await csrfOf(one) })).status).toBe(303);
    other.setCookie('lynceus', cookie);
    expect((await other.get('/changes')).status).toBe(302);
    await Promise.all(worlds.map((world) => world.stop()));
  });
});
