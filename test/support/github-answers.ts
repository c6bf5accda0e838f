import type { Operation } from './github-openapi.ts';
import type { Account } from './github-people.ts';

/** A request to the fake GitHub, taken apart. */
export interface Call {
  operation: Operation;
  params: Record<string, string>;
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** Who asks. */
  by: Account;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export type Handlers = Record<string, (call: Call) => Answer>;

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const notFound = (message = 'Not Found'): Answer => ({ status: 404, body: { message } });
export const refused = (message: string, ...errors: string[]): Answer => ({
  status: 422,
  body: {
    message,
    ...(errors.length === 0
      ? {}
      : { errors: errors.map((words) => ({ resource: 'PullRequest', code: 'custom', message: words })) }),
  },
});

/** A page of a list, with the `Link` header that says where the last one is. */
export function paged(items: readonly unknown[], query: URLSearchParams): Answer {
  const size = Number(query.get('per_page') ?? 30);
  const page = Number(query.get('page') ?? 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = `<https://api.github.example/x?per_page=${size}&page=${last}>; rel="last"`;
  const body = items.slice((page - 1) * size, page * size);
  return { status: 200, body, ...(page < last ? { headers: { link } } : {}) };
}

/** GitHub's times have no fractions of a second. */
export const now = () => new Date().toISOString().replace(/\.\d+/, '');
