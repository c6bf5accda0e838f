import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpWorld, startHttpWorld, TOKENS } from '../support/http-world.ts';

const HOST = 'lynceus.example.com';
let world: HttpWorld;
beforeAll(async () => {
  world = await startHttpWorld({
    env: { LYNCEUS_PUBLIC_URL: `https://${HOST}`, LYNCEUS_ANONYMOUS_READ: 'false' },
    connections: `page:
  frameAncestors: [https://argocd.example.com, "https://*.ops.example.com:8443"]
`,
  });
});
afterAll(() => world.stop());

/** As a proxy that ends TLS passes it on. */
const page = (path: string, init: RequestInit = {}) =>
  fetch(world.url + path, {
    redirect: 'manual',
    ...init,
    headers: { Accept: 'text/html', ...init.headers },
  });

async function signIn() {
  const form = await page('/sign-in');
  const [given = ''] = form.headers.getSetCookie();
  const text = await form.text();
  const csrf = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
  const answer = await page('/sign-in', {
    method: 'POST',
    body: new URLSearchParams({ csrf, to: '/changes', token: TOKENS.READER }),
    headers: { Cookie: given.split(';')[0] ?? '', Origin: `https://${HOST}` },
  });
  return { given, answer, cookies: answer.headers.getSetCookie() };
}

describe('behind HTTPS', () => {
  it('gives cookies that only this host gets, by HTTPS, and no script reads', async () => {
    const { given, answer, cookies } = await signIn();
    const strict = (name: string, value: string, age: string) =>
      new RegExp(`^__Host-${name}=${value}; Path=/${age}; HttpOnly; SameSite=Lax; Secure$`);
    expect(given).toMatch(strict('lynceus-sign-in', '[\\w-]{43}\\.[\\w-]*', '; Max-Age=900'));
    expect(answer.status).toBe(303);
    expect(cookies).toEqual([
      expect.stringMatching(strict('lynceus-sign-in', '', '; Max-Age=0')),
      expect.stringMatching(strict('lynceus', '[\\w-]{43}', '')),
    ]);
  });

  it('takes the session from that cookie only', async () => {
    const { cookies } = await signIn();
    const session = cookies.at(-1)?.split(';')[0] ?? '';
    expect((await page('/changes', { headers: { Cookie: session } })).status).toBe(200);
    expect((await page('/changes', { headers: { Cookie: session.replace('__Host-', '') } })).status).toBe(302);
  });

  it('tells browsers to stay with HTTPS, and what pages may do', async () => {
    for (const path of ['/sign-in', '/healthz', '/nowhere']) {
      const { headers } = await page(path);
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
          "form-action 'self'; base-uri 'none'; frame-ancestors https://argocd.example.com https://*.ops.example.com:8443",
      );
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('permissions-policy')).toContain('camera=()');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('has nothing inline that the policy would stop', async () => {
    const text = await (await page('/sign-in')).text();
    expect(text).not.toMatch(/<script(?![^>]* src=")|<style|\sstyle=|\son\w+=|javascript:/i);
  });
});
