import { type Command, Option } from 'commander';
import { parseDuration, sayDuration } from '../base/duration.ts';
import { newId } from '../base/ids.ts';
import type { GateAnswer } from '../views/gate.ts';
import { askServer, type ServerOptions } from './changes.ts';
import { EXIT, type Terminal } from './command.ts';
import { pause } from './pause.ts';
import { oneLine } from './table.ts';

export interface GateOptions extends Partial<ServerOptions> {
  kind: 'change' | 'evaluation';
  project?: string;
  stage?: string;
  service?: string;
  app?: string;
  namespace?: string;
  revision?: string;
  until?: string;
  key?: string;
  timeframe?: string;
  timeout: string;
  interval: string;
  acceptWarning?: boolean;
}

const HELP = `
Server and token come from LYNCEUS_URL (or LYNCEUS_SERVER) and LYNCEUS_TOKEN where the flags do not say.

Exit codes: 0 pass, 1 fail, 2 warning (0 with --accept-warning), 3 timed out or could not be judged, 64 wrong usage.

Example, in a job that Argo CD runs before it syncs:
  lynceus gate wait --app checkout-prod --until deploy --revision "$REVISION" --timeout 30m`;

/** Adds the command to the program. */
export function addGate(program: Command, act: (options: GateOptions) => Promise<void>): void {
  program
    .command('gate')
    .description('ask the gate as other tools do')
    .command('wait')
    .description('wait until a change may go on, or an evaluation has its verdict')
    .option('--server <url>', 'where the service answers')
    .option('--token <token>', 'API token (better in the environment)')
    .addOption(new Option('--kind <kind>').choices(['change', 'evaluation']).default('change'))
    .option('--app <name>', "name of the delivery system's application")
    .option('--namespace <name>', 'namespace of the application')
    .option('--project <name>')
    .option('--stage <name>')
    .option('--service <name>')
    .option('--revision <commit>', 'only this commit; without it the newest that was seen')
    .addOption(
      new Option(
        '--until <when>',
        'deploy: checked and approved (needs --revision, or --app inside its sync); verdict: the end',
      ).choices(['deploy', 'verdict']),
    )
    .option('--key <text>', 'of an evaluation: the same key is the same evaluation')
    .option('--timeframe <duration>', 'of an evaluation: how far it looks back')
    .option('--timeout <duration>', 'gives up after this', '30m')
    .option('--interval <duration>', 'between two questions', '10s')
    .option('--accept-warning', 'a warning is good enough')
    .addHelpText('after', HELP)
    .action((options: GateOptions) => act(options));
}

/** Polls until there is a verdict; whatever is no verdict in time is no pass. */
export async function waitForGate(terminal: Terminal, options: GateOptions): Promise<number> {
  const timeoutMs = parseDuration(options.timeout);
  const intervalMs = parseDuration(options.interval);
  if (timeoutMs === undefined || intervalMs === undefined || intervalMs < 100) {
    terminal.err('--timeout and --interval must be durations such as 30m and 10s, the interval at least 100ms.');
    return EXIT.usage;
  }
  const mistake = mistakeIn(options);
  if (mistake !== undefined) {
    terminal.err(mistake);
    return EXIT.usage;
  }
  const question = questionOf(options);
  const server = serverOf(terminal, options);
  const deadline = performance.now() + timeoutMs;
  let said = '';
  for (;;) {
    const asked = await askServer<GateAnswer>(server, 'POST', '/api/v1/gates/evaluate', { data: question });
    const answer = asked.ok && isAnswer(asked.data) ? asked.data : undefined;
    const sentence = answer ? oneLine(answer.reason) : asked.ok ? NO_ANSWER : asked.message;
    if (answer?.complete) return conclude(terminal, answer, options.acceptWarning === true);
    if (sentence !== said) terminal.out(sentence);
    said = sentence;
    // Asking again changes nothing about a question or a token that is wrong.
    if (!asked.ok && asked.status !== undefined && asked.status >= 400 && asked.status < 500 && asked.status !== 429)
      return EXIT.notJudged;
    const left = deadline - performance.now();
    if (left <= 0 || !(await pause(Math.min(intervalMs, left), terminal.stop))) {
      const why = terminal.stop.aborted ? 'Stopped' : `No verdict within ${sayDuration(timeoutMs)}`;
      terminal.err(`${why}: ${sentence}`);
      return EXIT.notJudged;
    }
  }
}

const NAMES = ['app', 'namespace', 'project', 'stage', 'service'] as const;

/** What no server need be asked about. Empty texts come of variables that a script forgot to set. */
function mistakeIn(options: GateOptions): string | undefined {
  const { kind, until, revision, server } = options;
  const texts = [...NAMES, 'revision', 'key', 'timeframe', 'server'] as const;
  const empty = texts.find((option) => options[option]?.trim() === '');
  if (empty !== undefined) return `--${empty}: is empty`;
  if (NAMES.every((name) => options[name] === undefined))
    return 'Name what is asked about: --app, or --project, --stage and --service';
  if (kind === 'change' && until === 'deploy' && revision === undefined && options.app === undefined)
    return '--until deploy needs --revision, or --app from inside its sync: without it an older commit answers';
  const other = (['key', 'timeframe'] as const).find((option) => kind === 'change' && options[option] !== undefined);
  if (other !== undefined) return `--${other} is of an evaluation: add --kind evaluation`;
  if (server !== undefined && !/^https?:\/\//.test(server))
    return `--server ${oneLine(server)}: write a URL such as https://lynceus.example.com`;
  return undefined;
}

const NO_ANSWER = 'The server answers, but not as a gate of Lynceus does. Is --server right?';

function questionOf({ kind, ...options }: GateOptions): Record<string, string> {
  const fields = ['app', 'namespace', 'project', 'stage', 'service', 'revision', 'until', 'key', 'timeframe'] as const;
  const given = fields.flatMap((field) => (options[field] === undefined ? [] : [[field, options[field]]]));
  // One run of the command is one evaluation, however often it asks.
  return { kind, ...(kind === 'evaluation' ? { key: `cli-${newId()}` } : {}), ...Object.fromEntries(given) };
}

function serverOf({ env }: Terminal, { server, token }: GateOptions): ServerOptions {
  const key = token ?? env['LYNCEUS_TOKEN'];
  return {
    server: server ?? env['LYNCEUS_URL'] ?? env['LYNCEUS_SERVER'] ?? 'http://127.0.0.1:8080',
    ...(key === undefined ? {} : { token: key }),
  };
}

function isAnswer(data: Partial<GateAnswer> | undefined): data is GateAnswer {
  return (
    typeof data === 'object' &&
    typeof data.result === 'string' &&
    typeof data.complete === 'boolean' &&
    typeof data.reason === 'string'
  );
}

function conclude(terminal: Terminal, { result, reason, url }: GateAnswer, acceptWarning: boolean): number {
  terminal.out(oneLine(`${result}: ${reason} (${url})`));
  if (result === 'pass') return EXIT.ok;
  if (result === 'warning') return acceptWarning ? EXIT.ok : EXIT.warning;
  return result === 'fail' ? EXIT.failed : EXIT.notJudged;
}
