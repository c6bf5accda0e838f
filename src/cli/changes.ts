import axios from 'axios';
import type { ChangeView } from '../views/change.ts';
import { EXIT, type Terminal } from './command.ts';

export interface ServerOptions {
  server: string;
  token?: string;
}

const TIMEOUT_MS = 15_000;

/** Lists changes with where they are; the table fits the terminal. */
export async function changes(
  terminal: Terminal,
  options: ServerOptions & { project?: string; service?: string; output: string },
): Promise<number> {
  const params = { project: options.project, service: options.service };
  const answer = await call<{ changes: ChangeView[] }>(terminal, options, 'GET', '/api/v1/changes', { params });
  if (!answer) return EXIT.failed;
  if (options.output === 'json') terminal.out(JSON.stringify(answer, null, 2));
  else if (answer.changes.length === 0) terminal.out('No change yet.');
  else terminal.out(table(answer.changes, terminal.columns));
  return EXIT.ok;
}

/** Approves or rejects what a change waits for, bound to the commit and the evidence shown now. */
export async function decide(
  terminal: Terminal,
  options: ServerOptions & { reason: string; stage?: string },
  verdict: string,
  id: string,
): Promise<number> {
  const change = await call<ChangeView>(terminal, options, 'GET', `/api/v1/changes/${encodeURIComponent(id)}`, {});
  if (!change) return EXIT.failed;
  const stage = change.stages.findLast((one) =>
    options.stage === undefined ? one.status !== 'finished' : one.stage === options.stage,
  );
  if (!stage) {
    terminal.err('The change is not under way in any stage: nothing was decided.');
    return EXIT.failed;
  }
  const body = {
    verdict,
    reason: options.reason,
    stage: stage.stage,
    revision: stage.revision,
    ...(stage.decide ? { evidence: stage.decide.evidence } : {}),
  };
  const after = await call<ChangeView>(
    terminal,
    options,
    'POST',
    `/api/v1/changes/${encodeURIComponent(id)}/decisions`,
    { data: body },
  );
  if (!after) return EXIT.failed;
  terminal.out(after.summary);
  return EXIT.ok;
}

async function call<T>(
  terminal: Terminal,
  { server, token }: ServerOptions,
  method: string,
  path: string,
  extra: object,
): Promise<T | undefined> {
  try {
    const { data, status } = await axios.request<T & { detail?: string }>({
      ...extra,
      method,
      url: server.replace(/\/+$/, '') + path,
      headers: { Accept: 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      maxRedirects: 0,
      timeout: TIMEOUT_MS,
      validateStatus: () => true,
    });
    if (status >= 200 && status < 300) return data;
    terminal.err(`${server} answered ${status}: ${data?.detail ?? 'no reason given'}`);
  } catch (error) {
    terminal.err(
      `${server} cannot be reached: ${(error as { code?: string }).code ?? 'no answer'}. Is the service running there? (--server)`,
    );
  }
  return undefined;
}

function table(rows: readonly ChangeView[], columns: number): string {
  const cells = rows.map((change) => [
    change.id.slice(0, 8),
    change.service,
    change.revision.slice(0, 8),
    change.stages.map(stageWord).join(' '),
    change.summary,
  ]);
  const all = [['CHANGE', 'SERVICE', 'COMMIT', 'STAGES', 'NOW'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column < 4 ? cell.padEnd(widths[column] ?? 0) : cell)).join('  ');
  return all.map((row) => line(row).slice(0, Math.max(40, columns)).trimEnd()).join('\n');
}

function stageWord({ stage, status, result, reason }: ChangeView['stages'][number]): string {
  return `${stage}:${reason === 'superseded' ? reason : status === 'finished' ? (result ?? '') : status}`;
}
