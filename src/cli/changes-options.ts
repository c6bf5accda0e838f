import { type Command, Option } from 'commander';
import type { ServerOptions } from './changes.ts';

export interface ListOptions extends ServerOptions {
  watch?: boolean;
  mine?: boolean;
  needsMe?: boolean;
  state?: string[];
  stage?: string[];
  team?: string[];
  author?: string[];
  project?: string[];
  service?: string[];
  since?: string;
  q?: string;
  limit?: string;
  output: 'text' | 'wide' | 'json';
}

export interface ShowOptions extends ServerOptions {
  output: 'text' | 'json';
}

const HELP = `
Marks of stages: ✓ passed, ! warning, ✗ failed, ○ running, ‖ waits, · not started, ? no signal, ↷ replaced.
--watch draws anew every 5 seconds until it is stopped (Ctrl-C); where nobody looks it prints what has changed.`;

/** Adds `changes` and `change` to the program. */
export function addChanges(
  program: Command,
  remote: (command: Command) => Command,
  list: (options: ListOptions) => Promise<void>,
  show: (id: string, options: ShowOptions) => Promise<void>,
): void {
  const command = program
    .command('changes')
    .description('list changes: where they are, what they wait for, who, how long');
  remote(command)
    .option('--mine', 'only your own')
    .option('--needs-me', 'only those that wait for you')
    .option('--state <state...>', 'waiting, running, failed, passed and so on')
    .option('--stage <name...>', 'that are in this stage')
    .option('--team <name...>', 'of this team')
    .option('--author <name...>', 'by this author')
    .option('--project <name...>')
    .option('--service <name...>')
    .option('--since <span>', 'that moved since then: 12h, 7d, 2026-11-01')
    .option('--q <text>', 'commit, digest, pull request, version, service or words of the title')
    .option('--limit <number>', 'at most so many (200)')
    .option('-w, --watch', 'draw anew every 5 seconds')
    .addOption(new Option('-o, --output <format>').choices(['text', 'wide', 'json']).default('text'))
    .addHelpText('after', HELP)
    .action((options: ListOptions) => list(options));
  remote(program.command('change <id>').description('one change: its five answers, and its journey with times'))
    .addOption(new Option('-o, --output <format>').choices(['text', 'json']).default('text'))
    .action((id: string, options: ShowOptions) => show(id, options));
}

/** The filters as the service names them. */
export function queryOf(options: ListOptions): Record<string, string | string[]> {
  const { mine, needsMe, state, stage, team, author, project, service, since, q, limit } = options;
  const given = { state, stage, team, author, project, service, since, q, limit };
  return {
    ...(mine ? { mine: '1' } : {}),
    ...(needsMe ? { needs: 'me' } : {}),
    ...Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  };
}
