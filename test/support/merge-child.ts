import { local } from '../../src/adapters/git-hosts/local.ts';
import { Secret } from '../../src/base/secret.ts';

/**
 * A process that opens a pull request (if there is none) and merges it, to be killed at any moment.
 * Arguments: repository URL, verified commit, cache folder. It says "ready" once it is loaded, goes on
 * when it is written to, and prints the merged pull request.
 */
const [url = '', verified = '', cacheDir = ''] = process.argv.slice(2);
const repository = { url };
const host = local.create('local', { urls: [url] }, { secret: () => new Secret(''), addresses: 'any', cacheDir });

process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));

const { number } = await host
  .openPullRequest(repository, {
    headBranch: `lynceus/${verified.slice(0, 7)}`,
    headSha: verified,
    baseBranch: 'stage',
    title: 'Promote',
    body: 'Evidence',
  })
  // Merged by the other one already: there is nothing left to open.
  .catch(() => ({ number: 1 }));
const merged = await host.mergePullRequest(repository, number, {
  expectedHeadSha: verified,
  message: 'Promote',
  by: `process ${process.pid}`,
});
process.stdout.write(`${JSON.stringify(merged)}\n`);
process.exit(0);
