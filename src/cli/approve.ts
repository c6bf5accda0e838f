import { tmpdir } from 'node:os';
import type { AdapterTools } from '../adapters/adapter-kind.ts';
import type { GitHost } from '../adapters/git-hosts/git-host.ts';
import { gitHostKinds } from '../adapters/git-hosts/registry.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { Secret } from '../base/secret.ts';
import type { ChangeView } from '../views/change.ts';
import type { ReviewAtHost } from '../views/reviews.ts';
import { type ApproveOptions, TOKENS } from './approve-options.ts';
import { decide, findChange } from './changes.ts';
import { EXIT, type Terminal } from './command.ts';
import { oneLine } from './table.ts';

/** Where such a token is at home; anywhere else it goes only to whom the person names. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  github: ['https://github.com'],
  gitlab: ['https://gitlab.com'],
  gitea: ['https://gitea.com', 'https://codeberg.org'],
  'azure-devops': ['https://dev.azure.com'],
  bitbucket: ['https://bitbucket.org'],
};

/** Approves as the person whose tokens these are: at the Git host where it has reviews, else with us. */
export async function approve(terminal: Terminal, options: ApproveOptions, id: string): Promise<number> {
  const change = await findChange(terminal, options, id);
  if (!change) return EXIT.failed;
  const found = reviewsOf(change, options);
  const [review, other] = found;
  if (review === undefined && options.to === undefined) return decide(terminal, options, 'approve', id);
  if (review === undefined) {
    terminal.err(`No promotion to ${options.to} waits for a review at a Git host: nothing was approved.`);
    return EXIT.failed;
  }
  if (other !== undefined) {
    terminal.err(`It waits for reviews of promotions to ${found.map(({ to }) => to).join(', ')}: name one with --to.`);
    return EXIT.usage;
  }
  try {
    return await approveThere(terminal, review, options);
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    terminal.err(oneLine(error.message));
    return EXIT.failed;
  }
}

function reviewsOf({ stages }: ChangeView, { stage, to }: ApproveOptions): ReviewAtHost[] {
  return stages
    .filter((one) => stage === undefined || one.stage === stage)
    .flatMap(({ reviews = [] }) => reviews)
    .filter((review) => to === undefined || review.to === to);
}

async function approveThere(
  terminal: Terminal,
  { number, url, head, repository, host: kind = '' }: ReviewAtHost,
  { reason, site }: ApproveOptions,
): Promise<number> {
  const names = TOKENS[kind] ?? [];
  const token = names.map((name) => terminal.env[name]).find((value) => value);
  if (token !== undefined && site === undefined && HOMES[kind]?.includes(originOf(url)) !== true) {
    const remedy = `if your token may go to ${originOf(url)}, say so with --site ${originOf(url)}`;
    terminal.err(oneLine(`Approve it at its Git host: ${url}; ${remedy}`));
    return EXIT.failed;
  }
  const host = token === undefined ? undefined : createHost(kind, site ?? originOf(url), new Secret(token));
  if (token === undefined || !host?.approvePullRequest || repository === undefined) {
    const remedy =
      names.length === 0 || token !== undefined ? '' : `, or put your own token into ${names.join(' or ')}`;
    terminal.err(oneLine(`Approve it at its Git host: ${url}${remedy}`));
    return EXIT.failed;
  }
  const approval = { headSha: head, text: reason, token: new Secret(token) };
  const { login } = await host.approvePullRequest({ url: repository }, number, approval, { signal: terminal.stop });
  terminal.out(oneLine(`Approved ${head.slice(0, 8)} as ${login}: ${url}`));
  return EXIT.ok;
}

/** The adapter of the service, with nothing but the person's own token. */
function createHost(kind: string, site: string, token: Secret): GitHost | undefined {
  const found = gitHostKinds.find((one) => one.kind === kind);
  if (!found || !('token' in found.schema.properties)) return undefined;
  const tools: AdapterTools = { secret: () => token, addresses: 'any', cacheDir: tmpdir() };
  return found.create('the Git host', { url: site, token: { env: 'TOKEN' } }, tools);
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : '';
}
