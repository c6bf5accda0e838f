import { type Benchmark, type Target, under } from './support/benchmark.ts';
import { createDatabases } from './support/databases.ts';
import { between, deliver, is, type LogEvent } from './support/deliveries.ts';
import { median, quantile, table, whole } from './support/figures.ts';

const DELIVERY = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - name: dev
      branch: main
      sync: gated
      rollout: {settle: 1ms}
      promotion: {onPass: manual}
    - name: production
      branch: production
      sync: gated
`;

/** How often others look, in seconds, as their documentation has it. */
const PEERS = [
  ['Kargo', 'looks at promotions and at its warehouses again', '10 to 30'],
  ['GitOps Promoter', 'looks at pull requests and commits again, where no webhook tells it', '60 to 300'],
] as const;
/** The shortest of them, in milliseconds: what looks again after that long is half of it late on average. */
const LIMIT_MS = 10_000 / 2;

interface Reaction {
  /** From the verdict of the stage to the open pull request, in milliseconds. */
  openedMs: number;
  /** From the first word of the commit to there: planned, synced and rolled out on the way. */
  wholeMs: number;
}

export const reaction: Benchmark = {
  name: 'reaction',
  title: 'From the verdict to the open pull request',
  method: `As above, but with a second stage: once the commit is healthy, a pull request to the next stage's branch is opened in a
plain Git repository, and the one of the commit before is replaced. Measured by the times in the event log from the end of the stage's last task to the
moment at which the open pull request is written down. What peers document is not measured: how often they look again is how late they may be
(half of it on average), before they begin to work.`,

  async run({ quick, say }) {
    const databases = createDatabases(say);
    const rows: string[][] = [];
    const targets: Target[] = [];
    try {
      for (const kind of databases.kinds) {
        const database = await databases.fresh(kind);
        const wanted = { amount: quick ? 5 : 50, delivery: DELIVERY, branches: ['production'], read: readReaction };
        const found = await deliver(database, wanted).finally(database.remove);
        say(`${kind}: ${found.length} pull requests`);
        const opened = found.map(({ openedMs }) => openedMs);
        const typical = median(opened);
        rows.push([
          kind,
          whole(found.length),
          whole(typical),
          whole(quantile(opened, 0.99)),
          whole(median(found.map(({ wholeMs }) => wholeMs))),
        ]);
        targets.push(under(`${kind}: median from verdict to pull request`, LIMIT_MS, typical, 'ms'));
      }
    } finally {
      await databases.stop();
    }
    const head = ['store', 'pull requests', 'median ms', 'p99 ms', 'from the commit, median ms'];
    return {
      tables: [
        table(head, rows),
        table(
          ['peer', 'what it does', 'every, in s'],
          PEERS.map((row) => [...row]),
        ),
      ],
      targets,
    };
  },
};

function readReaction(events: readonly LogEvent[]): Reaction | undefined {
  const [first] = events;
  const verdict = events.find(({ type, data }) => is(type, 'task.finished') && data.name === 'rollout');
  const opened = events.find(({ type, data }) => is(type, 'task.waiting') && namesPullRequest(data.memo));
  const failed = events.find(({ type, data }) => is(type, 'sequence.finished') && data.result !== 'pass');
  if (failed) throw new Error(`a sequence failed: ${failed.data.message}`);
  if (first === undefined || verdict === undefined || opened === undefined) return undefined;
  return { openedMs: between(verdict, opened), wholeMs: between(first, opened) };
}

function namesPullRequest(memo: unknown): boolean {
  return JSON.stringify(memo ?? {}).includes('"pullRequest":');
}
