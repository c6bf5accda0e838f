import type { Quant, State } from '../../../answers/change-row.ts';
import type { Step } from '../../../answers/step.ts';
import type { ChangeView, StageView, TaskView } from '../../../views/change.ts';
import { stateOfResult } from '../../parts/state.ts';

/** One step as the page draws it: what was done, what is under way, what will come. */
export interface Leg {
  /** What a link to it is called by: `staging.evaluation`. */
  key: string;
  name: string;
  state: State;
  startedAt?: string;
  endedAt?: string;
  detail?: string;
  attempt: number;
  human: boolean;
  cluster?: string;
  links: Step['links'];
  /** Present: what Lynceus did itself, with its evidence. */
  task?: TaskView;
  /** How long it takes as a rule; of what is not over yet. */
  expected?: Quant;
}

/** The steps of one stage, or of what comes before the first one. */
export interface Section {
  /** Absent: before the first stage. */
  stage?: string;
  /** Absent: no delivery to this stage has begun. */
  view?: StageView;
  legs: Leg[];
}

export interface JourneyInput {
  change?: ChangeView;
  steps: readonly Step[];
  /** All stages of the delivery, in its order. */
  stages: readonly string[];
  /** What is under way and what is still to come, in this order. */
  ahead?: readonly Ahead[];
}

/** A step that is not over yet. */
export interface Ahead {
  stage: string;
  step: string;
  /** How long it takes as a rule; absent: not known. */
  expected?: Quant;
}

type Expected = (stage: string, step: string) => Quant | undefined;

/** The whole way of a change in the order in which it takes it, the future at the end. */
export function journeyOf({ change, steps, stages, ahead = [] }: JourneyInput): Section[] {
  const expected: Expected = (stage, step) => ahead.find((one) => one.stage === stage && one.step === step)?.expected;
  const views = change?.stages ?? [];
  const tasks = new Set(views.flatMap((view) => view.tasks.map(({ task }) => task)));
  const others = steps.filter(({ task }) => task === undefined || !tasks.has(task));
  const linked = new Map(steps.flatMap((step) => (step.task === undefined ? [] : [[step.task, step] as const])));
  const before = others.filter(({ stage }) => stage === undefined).map((step) => legOfStep(step, expected));
  const sections: Section[] = views.map((view) => ({
    stage: view.stage,
    view,
    legs: view.tasks.filter(isShown).map((task) => legOfTask(view.stage, task, linked.get(task.task), expected)),
  }));
  for (const stage of orderOf(stages, others, ahead)) {
    const legs = others.filter((step) => step.stage === stage).map((step) => legOfStep(step, expected));
    const entered = sections.findLast((section) => section.stage === stage);
    const section = entered ?? { stage, legs: [] };
    if (!entered) sections.push(section);
    section.legs.push(...legs);
    const known = new Set(section.legs.map(({ key }) => key));
    section.legs.push(
      ...ahead
        .filter((one) => one.stage === stage)
        .map(legAhead)
        .filter(({ key }) => !known.has(key)),
    );
  }
  return before.length === 0 ? sections : [{ legs: before }, ...sections];
}

/** What a stage does is planned in no time, and only of interest when that fails. */
function isShown({ name, result }: TaskView): boolean {
  return name !== 'plan' || (result !== undefined && result !== 'pass');
}

function orderOf(stages: readonly string[], steps: readonly Step[], ahead: readonly Ahead[]): string[] {
  return [...new Set([...stages, ...steps.flatMap(({ stage }) => stage ?? []), ...ahead.map(({ stage }) => stage)])];
}

function legOfTask(stage: string, task: TaskView, step: Step | undefined, expected: Expected): Leg {
  const { name, triggeredAt, finishedAt, result, waitingFor, message, progress } = task;
  const detail = message ?? progress?.sentence ?? waitingFor?.sentence ?? step?.detail;
  const open = waitingFor === undefined && !HUMAN.has(name) ? 'running' : 'waiting';
  const quant = finishedAt === undefined ? expected(stage, name) : undefined;
  return {
    key: `${stage}.${name}`,
    name: STEP_NAMES[name] ?? name,
    state: finishedAt === undefined ? (step?.state ?? open) : stateOfResult(result ?? 'fail'),
    startedAt: triggeredAt,
    ...(finishedAt === undefined ? {} : { endedAt: finishedAt }),
    ...(detail === undefined ? {} : { detail }),
    attempt: step?.attempt ?? 1,
    human: HUMAN.has(name),
    links: step?.links ?? [],
    task,
    ...(quant === undefined ? {} : { expected: quant }),
  };
}

const HUMAN: ReadonlySet<string> = new Set(['approval']);

const STEP_NAMES: Readonly<Record<string, string>> = {
  plan: 'Plan',
  build: 'Build',
  image: 'Image',
  manifest: 'Manifests',
  review: 'Review',
  checks: 'Checks',
  approval: 'Approval',
  sync: 'Sync',
  rollout: 'Rollout',
  test: 'Test',
  evaluation: 'SLO gate',
  release: 'Release',
  soak: 'Soak',
  promotion: 'Promotion',
  rollback: 'Rollback',
};

function legAhead({ stage, step, expected }: Ahead): Leg {
  return {
    key: `${stage}.${step}`,
    name: STEP_NAMES[step] ?? step,
    state: 'idle',
    attempt: 1,
    human: HUMAN.has(step),
    links: [],
    ...(expected === undefined ? {} : { expected }),
  };
}

function legOfStep(step: Step, expected: Expected): Leg {
  const { stage, key, state, attempt, startedAt, endedAt, detail, human, cluster, links } = step;
  const quant = endedAt === undefined && stage !== undefined ? expected(stage, key) : undefined;
  return {
    key: stage === undefined ? key : `${stage}.${key}`,
    name: STEP_NAMES[key] ?? key,
    state,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(detail === undefined ? {} : { detail }),
    attempt,
    human,
    ...(cluster === undefined ? {} : { cluster }),
    links,
    ...(quant === undefined ? {} : { expected: quant }),
  };
}
