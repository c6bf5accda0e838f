import { type Command, Option } from 'commander';
import type { DecisionOptions } from './changes.ts';

const UNDER_WAY = 'where several stages are under way';

/** What a person may decide about a change from here, with the stage that it is decided for. */
const DECISIONS = {
  reject: { description: 'reject a change', stage: UNDER_WAY },
  // `hold` is what the same wish is called in a comment.
  pause: {
    description: 'keep a change from going on, as a comment /lynceus hold does',
    stage: UNDER_WAY,
    alias: 'hold',
  },
  resume: { description: 'resume a change', stage: UNDER_WAY },
  abort: { description: 'abort a change', stage: UNDER_WAY },
  override: { description: 'let the commit of a change through, whatever its checks say', stage: UNDER_WAY },
  retry: { description: 'take up a promotion whose pull request somebody closed', stage: 'from which it was promoted' },
  sync: { description: 'have the delivery system sync what it leaves to people', stage: UNDER_WAY },
  rollback: {
    description: 'take a stage back from its newest change, which is over',
    stage: 'where the change is in several stages',
  },
} as const satisfies Record<string, { description: string; stage: string; alias?: string }>;

/** Adds a command for each decision to the program. */
export function addDecisions(
  program: Command,
  remote: (command: Command) => Command,
  act: (verdict: string, change: string, options: DecisionOptions) => Promise<void>,
): void {
  for (const [verdict, told] of Object.entries(DECISIONS)) {
    const command = remote(program.command(`${verdict} <change>`).description(told.description))
      .requiredOption('--reason <text>', 'why, for the record')
      .option('--stage <name>', told.stage)
      .action((change: string, options: DecisionOptions) => act(verdict, change, options));
    if ('alias' in told) command.alias(told.alias);
    if (verdict === 'rollback')
      command.addOption(
        new Option('--by <way>', 'how, instead of what the stage says').choices(['sync', 'pullRequest']),
      );
  }
}
