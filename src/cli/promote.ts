import { type Command, Option } from 'commander';
import { AdapterError } from '../base/adapter-error.ts';
import type { ServerOptions } from './changes.ts';
import { findChange } from './changes.ts';
import { EXIT, type Terminal, UsageError } from './command.ts';
import { type Preview, type PreviewOptions, previewPromotion } from './promote-preview.ts';
import { jsonPreview, textPreview } from './promote-report.ts';

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

/** Shows what a promotion would be. */
export async function promote(
  terminal: Terminal,
  options: PromoteOptions,
  change: string | undefined,
): Promise<number> {
  try {
    if (options.dryRun !== true)
      throw new UsageError('--dry-run: promotions are opened by the service, here they are only shown');
    const about = change === undefined ? options : await withChange(terminal, options, change);
    if (!about) return EXIT.notJudged;
    const preview = await previewPromotion(about, terminal.stop);
    terminal.out(options.output === 'json' ? jsonPreview(preview) : textPreview(preview, terminal.columns));
    return codeOf(preview);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof AdapterError)) throw error;
    terminal.err(error.message);
    return error instanceof UsageError ? EXIT.usage : EXIT.notJudged;
  }
}

function codeOf({ problems, files }: Preview): number {
  if (problems.length > 0) return EXIT.failed;
  return files.length === 0 ? EXIT.warning : EXIT.ok;
}

/** What a change of the service is about, where the command line does not say. */
async function withChange(
  terminal: Terminal,
  options: PromoteOptions,
  id: string,
): Promise<PromoteOptions | undefined> {
  const change = await findChange(terminal, options, id);
  if (!change) return undefined;
  const { project, service, stages } = change;
  const stage =
    options.fromStage === undefined ? stages.at(-1) : stages.findLast((one) => one.stage === options.fromStage);
  if (!stage) throw new UsageError(`the change has not been in ${options.fromStage ?? 'any stage'}`);
  return {
    ...options,
    project: options.project ?? project,
    service: options.service ?? service,
    fromStage: stage.stage,
    revision: options.revision ?? stage.drySha ?? stage.revision,
  };
}
