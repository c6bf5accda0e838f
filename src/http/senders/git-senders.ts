import type { Clock } from '../../base/clock.ts';
import { azureDevOpsSender } from './azure-devops.ts';
import { bitbucketSender } from './bitbucket.ts';
import type { GitSource } from './git-sender.ts';
import { giteaSender } from './gitea.ts';
import { githubSender } from './github.ts';
import { gitlabSender } from './gitlab.ts';
import type { WebhookSender } from './sender.ts';

/** One for every kind of Git host that calls us. @param sourcesOf the configured hosts of a kind */
export function gitSenders(sourcesOf: (kind: string) => readonly GitSource[], clock: Clock): WebhookSender[] {
  return [
    githubSender({ sources: sourcesOf('github') }),
    gitlabSender({ sources: sourcesOf('gitlab'), clock }),
    giteaSender({ sources: sourcesOf('gitea') }),
    azureDevOpsSender({ sources: sourcesOf('azure-devops') }),
    bitbucketSender({ sources: sourcesOf('bitbucket') }),
  ];
}
