import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes so long for an answer that questions asked at once overlap. */
const ANSWER_MS = 20;

/** What the fake says and what it saw; tests change it at any time. */
export interface FakeState {
  /** For every query that `answers` does not know. */
  value: number;
  /** By query text. `undefined` in the answer: no data. */
  answers: Record<string, number | undefined>;
  /** Of a range query, one after the other, from the start on. */
  points: Record<string, number[]>;
  down: boolean;
  queries: string[];
  mostAtOnce: number;
}

export interface FakePrometheus {
  url: string;
  state: FakeState;
  close(): Promise<void>;
}

/** Speaks Prometheus' query API with answers that the test sets; its real self is in the adapter's tests. */
export async function startFakePrometheus(): Promise<FakePrometheus> {
  const state: FakeState = { value: 0.001, answers: {}, points: {}, down: false, queries: [], mostAtOnce: 0 };
  let under = 0;
  const server: Server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://prometheus');
    const query = searchParams.get('query') ?? '';
    // Whoever only looks whether it is there asks for something else.
    if (searchParams.has('query')) state.queries.push(query);
    state.mostAtOnce = Math.max(state.mostAtOnce, ++under);
    setTimeout(() => {
      under--;
      response.statusCode = state.down ? 503 : 200;
      response.setHeader('Content-Type', 'application/json');
      const data = pathname.endsWith('query_range') ? matrix(state, query, searchParams) : vector(state, query);
      response.end(JSON.stringify({ status: 'success', data }));
    }, ANSWER_MS);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function vector({ answers, value }: FakeState, query: string) {
  const found = query in answers ? answers[query] : value;
  const result = found === undefined ? [] : [{ metric: {}, value: [Date.now() / 1000, String(found)] }];
  return { resultType: 'vector', result };
}

function matrix({ points }: FakeState, query: string, parameters: URLSearchParams) {
  const start = Number(parameters.get('start'));
  const step = Number(parameters.get('step')?.replace(/s$/, '') ?? 60);
  const values = (points[query] ?? []).map((value, at) => [start + at * step, String(value)]);
  return { resultType: 'matrix', result: values.length === 0 ? [] : [{ metric: {}, values }] };
}
