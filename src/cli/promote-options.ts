import { type Command, Option } from 'commander';
import type { ServerOptions } from './changes.ts';
import type { PreviewOptions } from './promote-preview.ts';

export interface PromoteOptions extends ServerOptions, PreviewOptions {
  dryRun?: true;
  output: string;
}

const HELP = `
Reads a repository on this machine, and writes nothing. A branch is taken as origin has it, else as it is here.

Exit codes: 0 a pull request would be opened, 1 the changes do not fit, 2 there is nothing to promote, 3 something
cannot be read, 64 wrong usage.

Examples:
  lynceus promote --dry-run --from-stage dev --to production --revision HEAD
  lynceus promote 6f1d2c3a --dry-run --to production`;

/** Adds the command to the program. */
export function addPromote(
  program: Command,
  remote: (command: Command) => Command,
  act: (change: string | undefined, options: PromoteOptions) => Promise<void>,
): void {
  remote(program.command('promote [change]').description('show what a promotion would write, and ask'))
    .option('--dry-run', 'only show it (the service itself opens pull requests)')
    .option('--repository <path>', 'a Git repository on this machine', '.')
    .option('--revision <commit>', 'the verified commit; without it HEAD')
    .option('--delivery <file>', 'where delivery.yaml is in the repository')
    .option('--project <name>')
    .option('--service <name>')
    .option('--from-stage <name>', 'where it was verified')
    .option('--to <name>', 'where it goes')
    .addOption(new Option('-o, --output <format>').choices(['text', 'json']).default('text'))
    .addHelpText('after', HELP)
    .action((change: string | undefined, options: PromoteOptions) => act(change, options));
}
