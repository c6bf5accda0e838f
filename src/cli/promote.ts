import { AdapterError } from '../base/adapter-error.ts';
import { findChange } from './changes.ts';
import { EXIT, type Terminal, UsageError } from './command.ts';
import type { PromoteOptions } from './promote-options.ts';
import { type Preview, previewPromotion } from './promote-preview.ts';
import { jsonPreview, textPreview } from './promote-report.ts';

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
