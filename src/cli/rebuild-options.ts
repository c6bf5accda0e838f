import { type Command, Option } from 'commander';

export interface RebuildOptions {
  /** Absent: in the store itself, which nobody may have open. */
  server?: string;
  token?: string;
}

/** Adds the command to the program. */
export function addRebuild(program: Command, act: (options: RebuildOptions) => Promise<void>): void {
  program
    .command('rebuild')
    .description('write all rows that lists and pages read anew from the log')
    .option('--server <url>', 'have the service do it that runs there; without it nobody may have the store open')
    .addOption(new Option('--token <token>', 'API token (better in the environment)').env('LYNCEUS_TOKEN'))
    .action((options: RebuildOptions) => act(options));
}
