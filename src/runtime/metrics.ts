import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { QueueStats, Store } from '../store/store.ts';

export interface RuntimeMetrics {
  registry: Registry;
  received: Counter<'sender' | 'outcome'>;
  appendSeconds: Histogram<'operation'>;
  tasks: Counter<'task' | 'status' | 'result'>;
  taskRuns: Histogram<'task'>;
  taskDuration: Histogram<'task'>;
  taskFailures: Counter<'task' | 'reason'>;
  sequences: Counter<'stage' | 'result' | 'reason'>;
  jobs: Counter<'queue' | 'outcome'>;
}

/** Few metrics, named for questions; docs/configuration.md lists them. */
export function createMetrics(store: Store): RuntimeMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'lynceus_queue_jobs',
    help: 'Jobs in the queue by state',
    labelNames: ['queue', 'state'],
    registers,
    async collect() {
      this.reset();
      for (const row of await statsOf(store)) {
        this.set({ queue: row.queue, state: 'due' }, row.due);
        this.set({ queue: row.queue, state: 'waiting' }, row.waiting);
        this.set({ queue: row.queue, state: 'running' }, row.running);
        this.set({ queue: row.queue, state: 'dead' }, row.dead);
      }
    },
  });
  new Gauge({
    name: 'lynceus_queue_oldest_due_seconds',
    help: 'How long the oldest job has been due',
    labelNames: ['queue'],
    registers,
    async collect() {
      this.reset();
      for (const row of await statsOf(store)) this.set({ queue: row.queue }, row.oldestDueMs / 1000);
    },
  });
  return {
    registry,
    received: new Counter({
      name: 'lynceus_received_total',
      help: 'Inbound requests by sender and outcome',
      labelNames: ['sender', 'outcome'],
      registers,
    }),
    appendSeconds: new Histogram({
      name: 'lynceus_append_seconds',
      help: 'Time until an event is durable',
      labelNames: ['operation'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    tasks: new Counter({
      name: 'lynceus_tasks_total',
      help: 'Finished tasks',
      labelNames: ['task', 'status', 'result'],
      registers,
    }),
    taskRuns: new Histogram({
      name: 'lynceus_task_run_seconds',
      help: 'Duration of one look at a task',
      labelNames: ['task'],
      registers,
    }),
    taskDuration: new Histogram({
      name: 'lynceus_task_duration_seconds',
      help: 'From triggered to finished, waiting included',
      labelNames: ['task'],
      buckets: [0.1, 1, 10, 60, 300, 1800, 7200, 86400],
      registers,
    }),
    taskFailures: new Counter({
      name: 'lynceus_task_failures_total',
      help: 'Attempts that failed, by reason',
      labelNames: ['task', 'reason'],
      registers,
    }),
    sequences: new Counter({
      name: 'lynceus_sequences_total',
      help: 'Finished sequences',
      labelNames: ['stage', 'result', 'reason'],
      registers,
    }),
    jobs: new Counter({
      name: 'lynceus_jobs_total',
      help: 'Jobs worked on',
      labelNames: ['queue', 'outcome'],
      registers,
    }),
  };
}

/** What was received since this process started, by sender and outcome. */
export async function receivedSoFar({
  received,
}: Pick<RuntimeMetrics, 'received'>): Promise<{ sender: string; outcome: string; count: number }[]> {
  const { values } = await received.get();
  return values.map(({ labels, value }) => ({
    sender: String(labels.sender ?? ''),
    outcome: String(labels.outcome ?? ''),
    count: value,
  }));
}

/** A store that is down takes the queue's gauges with it, not all the others: they tell why. */
function statsOf(store: Store): Promise<QueueStats[]> {
  return store.stats().catch(() => []);
}
