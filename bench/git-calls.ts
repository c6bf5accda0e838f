import type { GitHost, Repository } from '../src/adapters/git-hosts/git-host.ts';
import { type Benchmark, under } from './support/benchmark.ts';
import { table } from './support/figures.ts';
import { type Asked, GIT_HOSTS, type GitHostUnderCount } from './support/git-hosts.ts';

const MARKER = '<!-- lynceus:story -->';
const LOOKS_PER_HOUR = 60;
/** Manifests of the application that is promoted, and of others around it. */
const FILES = 12;

/** What one promotion may take; a commit of files is made of some more. */
const LIMITS = { branch: 30, files: 40 };

/** What it took: requests, changes among them, what the host counts, bytes of bodies both ways. */
interface Count {
  calls: number;
  changes: number;
  counted: number;
  bytes: number;
}

export const gitCalls: Benchmark = {
  name: 'git-calls',
  title: 'Calls to the Git host',
  method: `One promotion, driven through the port as its task does, against a fake of each host that is held to the host's own description
of its API (\`test/support\`). From opening to merging: commit or branch, pull request, label, a mark for two gates, the sticky comment, asking for a
review, reading the approval and what the approver may do, merging the evaluated head, the last word in the comment. The first promotion also
learns who we are. An hour of waiting is ${LOOKS_PER_HOUR} looks at the pull request, its reviews and its comments while nothing changes.
"Counted" are the calls that the host counts against its limit: an answer that nothing has changed (304) is free at GitHub. Bytes are bodies, both ways.`,

  async run({ say }) {
    const rows: string[][] = [];
    const targets = [];
    for (const { name, create } of GIT_HOSTS) {
      for (const kind of ['branch', 'files'] as const) {
        say(`${name}: ${kind}`);
        const world = await create();
        try {
          const { first, next, waiting } = await measure(world, kind);
          rows.push([`${name}, ${kind}`, ...cells(first), ...cells(next), ...cells(waiting)]);
          if (name.startsWith('GitHub')) {
            targets.push(under(`${name}, ${kind}: calls from opening to merging`, LIMITS[kind], next.calls, 'calls'));
            targets.push(under(`${name}, ${kind}: counted calls of an hour of waiting`, 5, waiting.counted, 'calls'));
          }
        } finally {
          await world.close();
        }
      }
    }
    const head = [
      '',
      'first: calls (changes, counted)',
      'kB',
      'next: calls (changes, counted)',
      'kB',
      'an hour of waiting',
      'kB',
    ];
    return { tables: [table(head, rows)], targets };
  },
};

async function measure(world: GitHostUnderCount, kind: 'branch' | 'files') {
  const first = await promote(world, kind, 1);
  const next = await promote(world, kind, 2);
  const pull = await begin(world, kind, 3);
  await look(world.host, world.repository, pull);
  const from = world.asked().length;
  for (let at = 0; at < LOOKS_PER_HOUR; at += 1) await look(world.host, world.repository, pull);
  return { first, next, waiting: count(world.asked().slice(from)) };
}

async function promote(world: GitHostUnderCount, kind: 'branch' | 'files', round: number): Promise<Count> {
  const { host, repository } = world;
  const from = world.asked().length;
  const number = await begin(world, kind, round);
  await world.approve(number);
  await look(host, repository, number);
  const [review] = (await host.readReviews?.(repository, number)) ?? [];
  if (review !== undefined) await host.permission?.(repository, review.by);
  const { headSha } = await host.readPullRequest(repository, number);
  const merged = await host.mergePullRequest(repository, number, {
    expectedHeadSha: headSha,
    message: 'Promote shop',
    by: 'grace',
  });
  if (merged.state !== 'merged') throw new Error('the promotion was not merged: its calls mean nothing');
  await host.setStatus?.(repository, headSha, { name: 'lynceus/approval', state: 'success', description: 'grace' });
  await host.putComment?.(repository, number, { marker: MARKER, body: `${MARKER}\nIt was merged.` });
  return count(world.asked().slice(from));
}

async function begin(world: GitHostUnderCount, kind: 'branch' | 'files', round: number): Promise<number> {
  const { host, repository, origin } = world;
  const verified = origin.commit({ branch: 'main', files: filesOf(round), message: `Raise shop to ${round}` });
  const headBranch = `lynceus/shop/production/${round}`;
  const headSha = kind === 'branch' ? verified : await commitFiles(host, repository, headBranch, round);
  const wanted = { headBranch, headSha, baseBranch: 'production', title: 'Promote shop', body: 'b'.repeat(8_000) };
  const { number } = await host.openPullRequest(repository, wanted);
  await host.changeLabels?.(repository, number, { add: ['lynceus'], remove: [] });
  await host.setStatus?.(repository, headSha, { name: 'lynceus/evaluation', state: 'success', description: 'passed' });
  await host.setStatus?.(repository, headSha, { name: 'lynceus/approval', state: 'pending', description: '1 missing' });
  await host.putComment?.(repository, number, { marker: MARKER, body: `${MARKER}\nIt waits for an approval.` });
  await host.requestReviewers?.(repository, number, { users: ['reviewer'], groups: [] });
  return number;
}

/** A folder per stage: what is in the first becomes what is in the second. */
async function commitFiles(host: GitHost, repository: Repository, branch: string, round: number): Promise<string> {
  const [sha = '', parent = ''] = [
    await host.resolve(repository, 'main'),
    await host.resolve(repository, 'production'),
  ];
  const files = (await host.listFiles?.(repository, sha, 'staging')) ?? [];
  await host.listFiles?.(repository, parent, 'production');
  const edits = files.map(({ path }) => ({
    kind: 'copy' as const,
    path: path.replace('staging/', 'production/'),
    from: { sha, path },
  }));
  const at = `2026-03-02T10:00:0${round}Z`;
  return (await host.commitFiles?.(repository, { branch, parent, edits, message: 'Promote shop', at })) ?? '';
}

async function look(host: GitHost, repository: Repository, number: number): Promise<void> {
  await host.readPullRequest(repository, number);
  await host.readReviews?.(repository, number);
  await host.readComments?.(repository, number);
}

function filesOf(round: number): Record<string, string> {
  const names = Array.from({ length: FILES }, (_, at) => `staging/manifest-${at}.yaml`);
  return Object.fromEntries(names.map((name) => [name, `image: shop:${round}\n${'# text\n'.repeat(200)}`]));
}

function count(asked: readonly Asked[]): Count {
  return {
    calls: asked.length,
    changes: asked.filter(({ line }) => !line.startsWith('GET ')).length,
    counted: asked.filter(({ unchanged }) => unchanged !== true).length,
    bytes: asked.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function cells({ calls, changes, counted, bytes }: Count): string[] {
  return [`${calls} (${changes}, ${counted})`, (bytes / 1024).toFixed(0)];
}
