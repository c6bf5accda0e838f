import { type Command, Option } from 'commander';

export interface DoctorOptions {
  config?: string;
  url?: string;
  token?: string;
  output: string;
}

const HELP = `
Without --url it reads lynceus.yaml and looks by itself, from where it runs and with the secrets that it finds there.
With --url it asks a service, which also knows which applications are silent.

Exit codes: 0 all is well, 1 something does not work, 64 wrong usage.`;

/** Adds the command to the program. */
export function addDoctor(program: Command, act: (options: DoctorOptions) => Promise<void>): void {
  program
    .command('doctor')
    .description('check every connection and every labelled application, and say what to do')
    .option('--config <file>', 'instead of the one that LYNCEUS_CONFIG names')
    .option('--url <url>', 'ask the service there')
    .addOption(new Option('--token <token>', 'API token (better in the environment)').env('LYNCEUS_TOKEN'))
    .addOption(new Option('-o, --output <format>').choices(['text', 'json']).default('text'))
    .addHelpText('after', HELP)
    .action((options: DoctorOptions) => act(options));
}
