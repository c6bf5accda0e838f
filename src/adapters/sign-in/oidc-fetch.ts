import { createHttpClient, type HttpClient, HttpFailure } from '../http-client.ts';
import type { ClientOptions } from '../http-settings.ts';

/** What the library reads of an answer. */
const KEPT = ['content-type', 'date', 'www-authenticate', 'cache-control'];

/** The part of `fetch` that the library uses. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

interface FetchInit {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
}

/**
 * `fetch` for the library, through our own client: addresses are checked, redirects not followed, sizes and times
 * bounded, secrets masked. A provider may serve its endpoints on several hosts.
 */
export function fetchThrough(options: ClientOptions): Fetch {
  const clients = new Map<string, HttpClient>();

  function clientFor(origin: string): HttpClient {
    const known = clients.get(origin);
    if (known) return known;
    const made = createHttpClient({ ...options, baseUrl: origin });
    clients.set(origin, made);
    return made;
  }

  return async (url, { method = 'GET', headers = {}, body, signal }) => {
    const { origin, pathname, search } = new URL(url);
    try {
      const answer = await clientFor(origin).text({
        method: method === 'POST' ? 'POST' : 'GET',
        path: pathname + search,
        headers,
        ...(body === undefined || body === null ? {} : { form: Object.fromEntries(new URLSearchParams(String(body))) }),
        ...(signal ? { signal } : {}),
      });
      return new Response(answer.data, { status: answer.status, headers: kept(answer.headers) });
    } catch (error) {
      const failure = error instanceof Error ? error.cause : undefined;
      if (!(failure instanceof HttpFailure)) throw error;
      const text = typeof failure.body === 'string' ? failure.body : JSON.stringify(failure.body);
      return new Response(text, { status: failure.status, headers: kept(failure.headers) });
    }
  };
}

function kept(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => KEPT.includes(name)));
}
