import { azureDevOps } from './azure-devops.ts';
import { bitbucket } from './bitbucket.ts';
import type { GitHost, Repository } from './git-host.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { local } from './local.ts';

/** Every kind of git host that lynceus.yaml may name. */
export const gitHostKinds = [local, github, gitlab, gitea, azureDevOps, bitbucket];

/** The first configured host that serves a repository; `undefined` when none does: then nothing is guessed. */
export function findGitHost(hosts: readonly GitHost[], repository: Repository): GitHost | undefined {
  return hosts.find((host) => host.serves(repository));
}
