import type { ChangeRow } from '../answers/change-row.ts';
import { sayMoment } from '../answers/words.ts';
import { asJson, askServer, type ServerAnswer } from './changes.ts';
import { type ListOptions, queryOf } from './changes-options.ts';
import { changesTable, wideTable } from './changes-table.ts';
import { EXIT, type Terminal } from './command.ts';
import { pause } from './pause.ts';

interface Page {
  rows: ChangeRow[];
  total: number;
  next?: string;
  asOf: string;
}

/** As many as the service gives at once: a table that is longer is not read. */
const MOST = '200';
const EVERY_MS = 5_000;
/** To the upper left corner, and what is below gone: what is drawn over flickers less than what is wiped first. */
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';
const NEW_SCREEN = '\u001b[2J';

/** Lists changes with their five answers, once or until it is stopped. */
export async function changes(terminal: Terminal, options: ListOptions, everyMs = EVERY_MS): Promise<number> {
  if (options.watch) return watch(terminal, options, everyMs);
  const answer = await ask(terminal, options);
  if (!answer.ok) {
    terminal.err(answer.message);
    return EXIT.failed;
  }
  terminal.out(options.output === 'json' ? asJson(answer.data) : textOf(answer.data, terminal.columns, options));
  return EXIT.ok;
}

function ask({ stop }: Terminal, options: ListOptions): Promise<ServerAnswer<Page>> {
  return askServer<Page>(options, 'GET', '/api/v1/changes', {
    params: { limit: MOST, ...queryOf(options) },
    paramsSerializer: { indexes: null },
    signal: stop,
  });
}

function textOf({ rows, total, asOf }: Page, columns: number, { output }: ListOptions): string {
  if (rows.length === 0) return 'No change matches.';
  const rest = total > rows.length ? [`${total - rows.length} more match: narrow them down.`] : [];
  const shown = output === 'wide' ? wideTable(rows, asOf) : changesTable(rows, asOf, columns);
  return [shown, ...rest].join('\n');
}

/** What was seen last stays in sight while the service does not answer, with since when. */
async function watch(terminal: Terminal, options: ListOptions, everyMs: number): Promise<number> {
  let [seen, printed] = [undefined as Page | undefined, ''];
  let drawn = false;
  do {
    const answer = await ask(terminal, options);
    if (terminal.stop.aborted) break;
    if (!answer.ok && seen === undefined) {
      terminal.err(answer.message);
      return EXIT.failed;
    }
    if (answer.ok) seen = answer.data;
    if (seen === undefined) break;
    const trouble = answer.ok ? undefined : answer.message;
    if (terminal.rows === undefined) printed = printNews(terminal, seen, printed, trouble, options);
    else draw(terminal, terminal.rows, seen, trouble, options, drawn);
    drawn = true;
  } while (await pause(everyMs, terminal.stop));
  return EXIT.ok;
}

function draw(
  terminal: Terminal,
  rows: number,
  page: Page,
  trouble: string | undefined,
  options: ListOptions,
  drawn: boolean,
): void {
  const at = sayMoment(page.asOf, page.asOf);
  const state = trouble === undefined ? `${page.total} changes at ${at}. Ctrl-C ends.` : `As of ${at}. ${trouble}`;
  const lines = [state.slice(0, terminal.columns), ...textOf(page, terminal.columns, options).split('\n')];
  // The last line of the window stays free: what is written there would push the first one out.
  const shown = lines.slice(0, Math.max(2, rows - 1)).map((line) => line + REST_OF_LINE);
  terminal.out(`${drawn ? '' : NEW_SCREEN}${HOME}${shown.join('\n')}${REST_OF_SCREEN}`);
}

/** Into a file or a pipe: only what is different, and no control characters. */
function printNews(
  terminal: Terminal,
  page: Page,
  printed: string,
  trouble: string | undefined,
  options: ListOptions,
): string {
  if (trouble !== undefined) terminal.err(trouble);
  const key = JSON.stringify(page.rows.map(({ id, rev, blocker }) => [id, rev, blocker.kind, blocker.stale]));
  if (key === printed || trouble !== undefined) return printed;
  const text = options.output === 'json' ? asJson(page) : textOf(page, terminal.columns, options);
  terminal.out(printed === '' ? text : `\n${text}`);
  return key;
}
