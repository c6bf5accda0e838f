import { type Authentication, createAuthentication } from '../../src/http/authentication.ts';
import { createCookies } from '../../src/http/cookies.ts';

/** For routers of which only those are asked that senders use. */
export function authenticationOfNobody(): Authentication {
  const signIn = { byToken: async () => undefined, bySession: async () => undefined };
  return createAuthentication({ signIn, cookies: createCookies({}), anonymousRead: false });
}

export interface Page {
  status: number;
  headers: Headers;
  text: string;
  /** The main part, without the frame around it. */
  main: string;
  /** Where it sends the browser, in full. */
  location: string | undefined;
  /** Of the first form: where it goes and what it holds. */
  form: { action: string; fields: Record<string, string> } | undefined;
}

/** A browser without a screen: it keeps cookies of each origin, and sends what a browser would. */
export interface Visitor {
  get(address: string, headers?: Record<string, string>): Promise<Page>;
  post(address: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Page>;
  /** Goes wherever it is sent, until it is on a page. */
  follow(page: Page): Promise<Page>;
  cookie(name: string): string | undefined;
  setCookie(name: string, value: string): void;
  /** Every Set-Cookie line it was given. */
  given: string[];
}

export function createVisitor(base: string): Visitor {
  const jars = new Map<string, Map<string, string>>();
  const given: string[] = [];
  const jarOf = (origin: string) => {
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };

  async function ask(address: string, init: RequestInit, headers: Record<string, string>): Promise<Page> {
    const url = new URL(address, base);
    const jar = jarOf(url.origin);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { Accept: 'text/html,*/*;q=0.8', ...(cookie === '' ? {} : { Cookie: cookie }), ...headers },
    });
    for (const line of answer.headers.getSetCookie()) {
      given.push(line);
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /expires=thu, 01 jan 1970|max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    const text = await answer.text();
    const location = answer.headers.get('location');
    const isPage = answer.headers.get('content-type')?.startsWith('text/html') === true;
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      main: mainOf(text),
      location: location === null ? undefined : new URL(location, url).href,
      form: isPage ? formIn(text, url) : undefined,
    };
  }

  const visitor: Visitor = {
    get: (address, headers = {}) => ask(address, {}, headers),
    post: (address, fields, headers = {}) =>
      ask(
        address,
        { method: 'POST', body: new URLSearchParams(fields) },
        { 'Sec-Fetch-Site': 'same-origin', ...headers },
      ),
    async follow(page) {
      let now = page;
      for (let hops = 0; now.location !== undefined && hops < 15; hops++) now = await visitor.get(now.location);
      return now;
    },
    cookie: (name) => jarOf(new URL(base).origin).get(name),
    setCookie: (name, value) => void jarOf(new URL(base).origin).set(name, value),
    given,
  };
  return visitor;
}

function mainOf(text: string): string {
  return /<main[\s\S]*<\/main>/.exec(text)?.[0] ?? text;
}

/** The form of the main part of a page. */
function formIn(text: string, url: URL): Page['form'] {
  const main = mainOf(text);
  const form = /<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(main);
  if (!form) return undefined;
  const fields = [...(form[2] ?? '').matchAll(/<input[^>]*>/g)].map(([input]) => [
    /name="([^"]*)"/.exec(input)?.[1] ?? '',
    (/value="([^"]*)"/.exec(input)?.[1] ?? '').replaceAll('&amp;', '&'),
  ]);
  return {
    action: new URL((form[1] ?? '').replaceAll('&amp;', '&'), url).href,
    fields: Object.fromEntries(fields.filter(([name]) => name !== '')),
  };
}

/** Signs in with a token, as people do. */
export async function signInWithToken(visitor: Visitor, token: string, to = '/changes'): Promise<Page> {
  const page = await visitor.get(`/sign-in?to=${encodeURIComponent(to)}`);
  return visitor.post('/sign-in', { ...page.form?.fields, token });
}

/** What every form of the visitor's session carries. */
export async function csrfOf(visitor: Visitor): Promise<string> {
  const { text } = await visitor.get('/sign-in');
  return /action="\/sign-out"><input type="hidden" name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
}
