import type { Command } from 'commander';
import { type LineStop, sayLine } from '../views/stop-the-line.ts';
import { askServer, type ServerOptions } from './changes.ts';
import { EXIT, type Terminal } from './command.ts';
import { oneLine } from './table.ts';

export interface StopOptions extends ServerOptions {
  reason: string;
  project?: string;
  stage?: string;
}

/** Adds `stop-the-line` and `go-on` to the program. */
export function addStopTheLine(
  program: Command,
  remote: (command: Command) => Command,
  act: (what: 'stop-the-line' | 'go-on', options: StopOptions) => Promise<void>,
): void {
  const descriptions = {
    'stop-the-line': 'let nothing new be promoted or synced, everywhere or in a project or stage',
    'go-on': 'end the stop of exactly this scope',
  } as const;
  for (const what of ['stop-the-line', 'go-on'] as const) {
    remote(program.command(what).description(descriptions[what]))
      .requiredOption('--reason <text>', 'why, for the record')
      .option('--project <name>', 'only this project')
      .option('--stage <name>', 'only what goes to this stage')
      .action((options: StopOptions) => act(what, options));
  }
}

/** Stops the line, or lets it go on. */
export async function stopTheLine(
  terminal: Terminal,
  what: 'stop-the-line' | 'go-on',
  { reason, project, stage, ...server }: StopOptions,
): Promise<number> {
  const data = {
    reason,
    ...(project === undefined ? {} : { project }),
    ...(stage === undefined ? {} : { stage }),
  };
  const answer = await askServer<LineStop>(server, 'POST', `/api/v1/${what}`, { data });
  if (!answer.ok) {
    terminal.err(answer.message);
    return EXIT.failed;
  }
  terminal.out(oneLine(sayLine(answer.data, what === 'go-on')));
  return EXIT.ok;
}
