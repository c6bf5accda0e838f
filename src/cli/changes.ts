import type { ChangeRow } from '../answers/change-row.ts';
import type { Step } from '../answers/step.ts';
import type { ChangeView } from '../views/change.ts';
import { EXIT, type Terminal } from './command.ts';
import { oneLine } from './table.ts';

export interface ServerOptions {
  server: string;
  token?: string;
}

const TIMEOUT_MS = 15_000;
/** Of an id, as the table shows it. */
export const SHORT_ID = 8;

/** What the service tells of a change besides its stages. */
export interface JourneyView {
  row?: ChangeRow;
  steps?: Step[];
}

export interface DecisionOptions extends ServerOptions {
  reason: string;
  stage?: string;
  /** Of a rollback: how. */
  by?: string;
}

/** Approves or rejects what a change waits for, bound to the commit and the evidence shown now. */
export async function decide(
  terminal: Terminal,
  options: DecisionOptions,
  verdict: string,
  id: string,
): Promise<number> {
  const change = await findChange(terminal, options, id);
  if (!change) return EXIT.failed;
  const stage = stageToDecide(change, options.stage, verdict);
  if (!stage) {
    const why =
      verdict === 'rollback' ? 'The change is in several stages: name one' : 'The change is not under way in any stage';
    terminal.err(`${why}: nothing was decided.`);
    return EXIT.failed;
  }
  const body = {
    verdict,
    reason: options.reason,
    stage: stage.stage,
    revision: stage.revision,
    ...(options.by === undefined ? {} : { by: options.by }),
    ...(stage.decide ? { evidence: stage.decide.evidence } : {}),
  };
  const after = await call<ChangeView>(
    terminal,
    options,
    'POST',
    `/api/v1/changes/${encodeURIComponent(change.id)}/decisions`,
    { data: body },
  );
  if (!after) return EXIT.failed;
  terminal.out(oneLine(after.summary));
  return EXIT.ok;
}

/** The stage that is named, else where it is under way; to be rolled back, the only one that it has been in. */
function stageToDecide({ stages }: ChangeView, name: string | undefined, verdict: string) {
  if (name !== undefined) return stages.findLast(({ stage }) => stage === name);
  // What is taken up again was promoted from there, and is mostly over.
  if (verdict === 'retry') return stages.findLast(({ pullRequest }) => pullRequest !== undefined);
  if (verdict !== 'rollback') return stages.findLast(({ status }) => status !== 'finished');
  return new Set(stages.map(({ stage }) => stage)).size === 1 ? stages.at(-1) : undefined;
}

/** JSON leaves DEL and the C1 characters as they are, and terminals obey those too. */
export function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** By its id, or by the beginning of it that the table shows. */
export async function findChange(
  terminal: Terminal,
  options: ServerOptions,
  id: string,
): Promise<(ChangeView & JourneyView) | undefined> {
  const whole = id.length === SHORT_ID ? await wholeId(terminal, options, id) : id;
  if (whole === undefined) return undefined;
  return call<ChangeView & JourneyView>(terminal, options, 'GET', `/api/v1/changes/${encodeURIComponent(whole)}`, {});
}

async function wholeId(terminal: Terminal, options: ServerOptions, id: string): Promise<string | undefined> {
  const params = { limit: 200 };
  const page = await call<{ rows: { id: string }[] }>(terminal, options, 'GET', '/api/v1/changes', { params });
  if (!page) return undefined;
  const meant = page.rows.filter((change) => change.id.startsWith(id));
  if (meant.length === 1) return meant[0]?.id;
  const why = meant.length === 0 ? 'None of the newest 200 changes begins' : `${meant.length} changes begin`;
  terminal.err(`${why} with ${id}: give the whole id (lynceus changes --output json).`);
  return undefined;
}

async function call<T>(
  terminal: Terminal,
  options: ServerOptions,
  method: string,
  path: string,
  extra: object,
): Promise<T | undefined> {
  const answer = await askServer<T>(options, method, path, extra);
  if (answer.ok) return answer.data;
  terminal.err(answer.message);
  return undefined;
}

export type ServerAnswer<T> =
  | { ok: true; data: T }
  /** Without a status nobody answered. */
  | { ok: false; status?: number; message: string };

/** Asks the service once; what went wrong is a sentence for people. */
export async function askServer<T>(
  { server, token }: ServerOptions,
  method: string,
  path: string,
  extra: object,
): Promise<ServerAnswer<T>> {
  try {
    const { default: axios } = await import('axios');
    const { data, status } = await axios.request<T & { detail?: string }>({
      ...extra,
      method,
      url: server.replace(/\/+$/, '') + path,
      headers: { Accept: 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      maxRedirects: 0,
      timeout: TIMEOUT_MS,
      validateStatus: () => true,
    });
    if (status >= 200 && status < 300) return { ok: true, data };
    const words = oneLine(`${server} answered ${status}: ${data?.detail ?? 'not as Lynceus does. Is --server right?'}`);
    return { ok: false, status, message: words };
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'no answer';
    return {
      ok: false,
      message: `${server} cannot be reached: ${code}. Is the service running there? (--server)`,
    };
  }
}
