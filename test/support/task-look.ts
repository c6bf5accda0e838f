import type { DeliverySystem, SyncRequest } from '../../src/adapters/delivery-systems/delivery-system.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { type PlannedTask, planToJson } from '../../src/engine/plan.ts';
import { currentTask, fold } from '../../src/engine/sequence.ts';
import type { LineStop } from '../../src/engine/stop-the-line.ts';
import type { Application } from '../../src/events/application.ts';
import type { Blocker, SequenceTriggered, TaskName } from '../../src/events/types.ts';
import type { TaskHandler, TaskInput, TaskOutcome, TaskTools } from '../../src/tasks/task.ts';
import { decision, started, step, taskFinished, taskTriggered, triggered } from './sequence.ts';

/** What a task sees when it looks, besides the application. */
export interface Scene {
  /** Of the change. */
  triggered?: Partial<SequenceTriggered>;
  /** The task's own step of the plan. */
  step?: PlannedTask;
  memo?: JsonObject;
  /** Somebody aborted the change. */
  aborted?: true;
  blocker?: Blocker;
  now?: string;
  /** How the delivery system answers a sync. */
  answer?: () => Promise<void>;
  /** Somebody let the change through. */
  overridden?: boolean;
  /** So often somebody asked for the sync that is left to people. */
  asked?: number;
  /** What people have stopped. */
  stops?: LineStop[];
  /** What else the delivery system can do. */
  system?: Partial<DeliverySystem>;
}

export interface Look {
  outcome: TaskOutcome;
  /** What the delivery system was asked to change. */
  syncs: SyncRequest[];
  terminated: number;
}

/** One look of one task at an application that is as given: no store, no queue, no network. */
export async function look(
  handler: TaskHandler,
  application: Application,
  scene: Scene = {},
  act: 'run' | 'stop' = 'run',
): Promise<Look> {
  const asked = { syncs: [] as SyncRequest[], terminated: 0 };
  const system = {
    kind: 'argocd',
    name: application.ref.system,
    read: async () => application,
    sync: async (_: unknown, request: SyncRequest) => {
      asked.syncs.push(request);
      await scene.answer?.();
    },
    terminate: async () => {
      asked.terminated += 1;
    },
    ...scene.system,
  } as unknown as DeliverySystem;
  const tools = {
    deliverySystem: () => system,
    history: { applications: async () => [application.ref] },
    stops: async () => scene.stops ?? [],
  } as unknown as TaskTools;
  const input = inputOf(handler.name, scene);
  if (act === 'stop') {
    await handler.stop?.(input, tools);
    return { outcome: { kind: 'finished', status: 'aborted', result: 'fail', message: '' }, ...asked };
  }
  return { outcome: await handler.run(input, tools), ...asked };
}

/** The id of the task that looks: an operation that carries it is ours. */
export function taskIdOf(name: TaskName): string {
  return `seq.1-${name}`;
}

function inputOf(name: TaskName, scene: Scene): TaskInput {
  const own = scene.step ?? step(name);
  const data = planToJson({ steps: [own], files: [] });
  const sequence = fold([
    triggered(scene.triggered),
    started,
    taskTriggered(0, 'plan'),
    taskFinished('plan', 'pass', { data }),
    taskTriggered(1, name),
    ...(scene.memo || scene.blocker ? [waited(name, scene)] : []),
    ...(scene.aborted ? [decision('abort')] : []),
    ...(scene.overridden ? [decision('override')] : []),
    ...Array.from({ length: scene.asked ?? 0 }, () => decision('sync', { task: taskIdOf(name) })),
  ]);
  const task = currentTask(sequence);
  if (!task || !sequence.triggered) throw new Error('the scene has no task');
  return {
    sequence,
    task,
    triggered: sequence.triggered,
    now: new Date(scene.now ?? '2026-03-02T10:01:00Z'),
    signal: new AbortController().signal,
    guard: () => undefined,
    onProgress: () => undefined,
    effect: (_, act) => act(),
    record: async () => undefined,
  };
}

function waited(name: TaskName, { memo = {}, blocker }: Scene) {
  const data = { task: taskIdOf(name), blocker: blocker ?? ({ kind: 'sync', sentence: '' } as const), memo };
  return { name: 'task.waiting', at: '2026-03-02T10:00:30Z', data } as const;
}
