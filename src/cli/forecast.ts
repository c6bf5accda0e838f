import { type Command, Option } from 'commander';
import { sayDuration } from '../base/duration.ts';
import type { ForecastView } from '../runtime/forecast-view.ts';
import { asJson, askServer, type ServerOptions } from './changes.ts';
import { EXIT, type Terminal } from './command.ts';
import { oneLine, table } from './table.ts';

export interface ForecastOptions extends ServerOptions {
  project?: string;
  stage?: string;
  to?: string;
  output: string;
}

/** Adds the command to the program. */
export function addForecast(
  program: Command,
  remote: (command: Command) => Command,
  act: (service: string, options: ForecastOptions) => Promise<void>,
): void {
  remote(program.command('forecast <service>').description('how long its changes take, and how likely they arrive'))
    .option('--project <name>', 'where several projects have a service of that name')
    .option('--stage <name>', 'from entering this stage')
    .option('--to <stage>', 'to the end of this stage')
    .addOption(new Option('-o, --output <format>').choices(['text', 'json']).default('text'))
    .action((service: string, options: ForecastOptions) => act(service, options));
}

/** Prints what the screen shows. */
export async function forecast(terminal: Terminal, options: ForecastOptions, service: string): Promise<number> {
  const { project, stage, to } = options;
  const params = { service, project, from: stage, to };
  const answer = await askServer<ForecastView>(options, 'GET', '/api/v1/forecast', { params });
  if (!answer.ok) {
    terminal.err(answer.message);
    return EXIT.failed;
  }
  terminal.out(options.output === 'json' ? asJson(answer.data) : said(answer.data, service, terminal.columns));
  return EXIT.ok;
}

function said(view: ForecastView, service: string, columns: number): string {
  const { forecast: about, runs } = view;
  if (!about) return `Nothing is known of ${oneLine(service)}. Is it the name of a service? (--project)`;
  const lines = [
    `Time     ${about.eta?.text ?? 'nothing is left to do'}; based on ${runs.used} of ${runs.all} runs`,
    `Arrives  ${about.odds?.text ?? 'no history yet'}`,
    ...sayFailing(view),
    `Right    ${sayRight(view)}`,
    ...view.slow.map((one) => `Slow     ${one}`),
  ].map(oneLine);
  return [...lines, ...(view.steps.length === 0 ? [] : ['', stepTable(view, columns)])].join('\n');
}

function sayFailing({ failsAt }: ForecastView): string[] {
  return failsAt.slice(0, 3).map(({ stage, step, failed, of, causes }) => {
    const why = causes.map(({ cause, count }) => `${cause} (${count})`).join(', ');
    return `Fails    at ${step} in ${stage}: ${failed} of ${of}${why === '' ? '' : `; ${why}`}`;
  });
}

function sayRight({ calibration, publication }: ForecastView): string {
  const { count, covered } = calibration;
  const share = count === 0 ? '' : `${Math.round(covered * 100)} % of ${count} landed in the 80 % range; `;
  return `${share}${publication.shown ? 'shown' : 'hidden'}: ${publication.why}`;
}

function stepTable({ steps }: ForecastView, columns: number): string {
  const rows = steps.map(({ stage, step, human, expected: { p10, p50, p90, n } }) => [
    `${stage}: ${step}${human ? ' (people)' : ''}`,
    sayDuration(p50 * 1000),
    `${sayDuration(p10 * 1000)} to ${sayDuration(p90 * 1000)}`,
    String(n),
  ]);
  return table([['STEP', 'USUALLY', '8 OF 10 TAKE', 'RUNS'], ...rows], columns);
}
