import { type Benchmark, type Target, under } from './support/benchmark.ts';
import { createDatabases } from './support/databases.ts';
import { between, deliver, is, type LogEvent } from './support/deliveries.ts';
import { median, quantile, table, whole } from './support/figures.ts';

const TASKS = ['plan', 'checks', 'sync', 'rollout'] as const;

const DELIVERY = `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  stages:
    - name: dev
      branch: main
      sync: gated
      checks: {risk: {approvalAbove: 99}}
      rollout: {settle: 1ms}
`;

export const overhead: Benchmark = {
  name: 'overhead',
  title: 'Own overhead of a sequence',
  method: `Sequences one after another, a second apart: a commit is pushed, the sandbox Argo CD sees it, and Lynceus
plans, checks, syncs and waits until it is healthy; no tests, no soak, a settle time of 1 ms. Everything in the sandbox that takes time takes 1 ms.
Measured from \`sequence.triggered\` to \`sequence.finished\` by the times in the event log. Nothing is subtracted: what
the sandbox needs for its answers, its few milliseconds of syncing, its notifications and its Git counts as ours, so
this is an upper bound. Per task it is the time from \`task.triggered\` to \`task.finished\`; what is missing from the
sum is the engine between them.`,

  async run({ quick, say }) {
    const databases = createDatabases(say);
    const rows: string[][] = [];
    const targets: Target[] = [];
    try {
      for (const kind of databases.kinds) {
        const database = await databases.fresh(kind);
        const sequences = await deliver(database, {
          amount: quick ? 10 : 100,
          delivery: DELIVERY,
          read: readSequence,
        }).finally(database.remove);
        say(`${kind}: ${sequences.length} sequences`);
        rows.push(rowOf(kind, sequences));
        const totals = sequences.map(({ totalMs }) => totalMs);
        targets.push(under(`${kind}: median overhead of a sequence`, 500, median(totals), 'ms'));
      }
    } finally {
      await databases.stop();
    }
    const head = ['store', 'sequences', 'median ms', 'p99 ms', 'max ms', ...TASKS.map((task) => `${task} ms`)];
    return { tables: [table(head, rows)], targets };
  },
};

interface Sequence {
  totalMs: number;
  taskMs: Record<string, number>;
}

/** Of one that is over. */
function readSequence(events: readonly LogEvent[]): Sequence | undefined {
  const [first] = events;
  const last = events.find(({ type }) => is(type, 'sequence.finished'));
  if (first === undefined || last === undefined) return undefined;
  if (last.data.result !== 'pass') throw new Error(`a sequence failed: ${last.data.message}`);
  return { totalMs: between(first, last), taskMs: taskTimes(events) };
}

function taskTimes(events: readonly LogEvent[]): Record<string, number> {
  const began = events.filter(({ type }) => is(type, 'task.triggered'));
  const ended = events.filter(({ type }) => is(type, 'task.finished'));
  return Object.fromEntries(
    began.flatMap((first) => {
      const last = ended.find(({ data }) => data.name === first.data.name);
      return last === undefined ? [] : [[first.data.name ?? '', between(first, last)]];
    }),
  );
}

function rowOf(kind: string, sequences: readonly Sequence[]): string[] {
  const totals = sequences.map(({ totalMs }) => totalMs);
  return [
    kind,
    whole(sequences.length),
    whole(median(totals)),
    whole(quantile(totals, 0.99)),
    whole(Math.max(...totals)),
    ...TASKS.map((task) => whole(median(sequences.map(({ taskMs }) => taskMs[task] ?? Number.NaN)))),
  ];
}
