import { describe, expect, it } from 'vitest';
import { repositoryKey } from '../../src/runtime/repository-key.ts';

describe('a repository is the same', () => {
  it.each([
    [
      'acme/deploy',
      [
        'https://github.com/Acme/Deploy.git',
        'git@github.com:acme/deploy',
        'ssh://git@ssh.github.com:443/acme/deploy.git',
        'https://github.com/acme/deploy/',
      ],
    ],
    [
      'group/sub/deploy',
      ['https://gitlab.example.com:8443/group/sub/deploy.git', 'git@gitlab.example.com:group/sub/deploy.git'],
    ],
    [
      'acme/shop/deploy',
      [
        'https://acme@dev.azure.com/acme/shop/_git/deploy',
        'git@ssh.dev.azure.com:v3/acme/shop/deploy',
        'https://acme.visualstudio.com/shop/_git/deploy',
        'https://acme.visualstudio.com/DefaultCollection/shop/_git/deploy',
        'acme@vs-ssh.visualstudio.com:v3/acme/shop/deploy',
      ],
    ],
    ['acme/deploy/deploy', ['https://dev.azure.com/acme/_git/deploy', 'https://dev.azure.com/acme/deploy/_git/deploy']],
    ['acme/v3/deploy', ['https://gitlab.example.com/acme/v3/deploy']],
  ])('%s, however it is written', (key, urls) => {
    expect(urls.map(repositoryKey)).toEqual(urls.map(() => key));
  });

  it('unless it is none of a Git host', () => {
    for (const url of ['/srv/git/deploy.git', 'file:///srv/git/deploy.git', 'nonsense', 'https://github.com/', ''])
      expect(repositoryKey(url)).toBeUndefined();
  });
});
