import { type Command, Option } from 'commander';
import type { ServerOptions } from './changes.ts';

export interface ApproveOptions extends ServerOptions {
  reason: string;
  stage?: string;
  to?: string;
  site?: string;
}

/** Where people keep their own token for a Git host, as its other tools find it. */
export const TOKENS: Readonly<Record<string, readonly string[]>> = {
  github: ['GH_TOKEN', 'GITHUB_TOKEN'],
  gitlab: ['GITLAB_TOKEN'],
  gitea: ['GITEA_TOKEN', 'FORGEJO_TOKEN'],
  'azure-devops': ['AZURE_DEVOPS_EXT_PAT'],
  bitbucket: ['BITBUCKET_TOKEN'],
};

const HELP = `
What is reviewed at a Git host is approved there, as you: with your own token in the environment, never with that of the
service. ${Object.entries(TOKENS)
  .map(([kind, names]) => `${kind}: ${names.join(' or ')}`)
  .join('; ')}.
To a server of your own it goes only with --site, whatever address the service tells.
It approves exactly the commit that was evaluated, and fails when the pull request points at another one by now.`;

/** Adds the command to the program. */
export function addApprove(
  program: Command,
  remote: (command: Command) => Command,
  act: (id: string, options: ApproveOptions) => Promise<void>,
): void {
  remote(program.command('approve <change>').description('approve what a change waits for'))
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--stage <name>', 'where several stages are under way')
    .option('--to <stage>', 'the promotion to this stage')
    .addOption(new Option('--site <url>', 'the Git host, if it is a server of your own'))
    .addHelpText('after', HELP)
    .action((id: string, options: ApproveOptions) => act(id, options));
}
