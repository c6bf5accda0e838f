import { isJsonObject } from '../../base/json.ts';
import { currentTask, type SequenceState, worstResult } from '../../engine/sequence.ts';
import { scopeOf, stopFor } from '../../engine/stop-the-line.ts';
import type { ChangeInput, Over } from '../fact-types.ts';
import type { Spot } from '../spot.ts';
import type { Step } from '../step.ts';
import { failureOf } from './failure.ts';
import { handedSpot, handedTo, isOvertaken } from './handed.ts';
import { aheadOf, named } from './neighbours.ts';
import { approvalOf, overrideGroups, promotionSpots, warnedOf } from './people.ts';

interface Standing {
  spots: Spot[];
  beside?: Spot[];
  over?: Over;
}

/** Where a change stands, in the order of the delivery: what failed, else what is under way, else why it is over. */
export function spotsOf(
  input: ChangeInput,
  stages: readonly string[],
  latest: ReadonlyMap<string, SequenceState>,
): Standing {
  const states = stages.flatMap((stage) => latest.get(stage) ?? []);
  const failed = states.filter(isFailed).map((state) => failedSpot(state, input));
  const handed = handedTo(input.sequences);
  const isAwaited = (one: (typeof handed)[number]) => !isOvertaken(one, input.neighbours ?? []);
  const under = states.flatMap((state) => (state.phase === 'finished' ? [] : openSpots(state, input)));
  const open = [...under, ...handed.filter(isAwaited).map(handedSpot)];
  // What a newer change has mended is told only where nothing else stands.
  const standing = failed.filter((one) => !one.failed?.mended);
  if (standing.length > 0) return { spots: standing, ...(open.length > 0 ? { beside: open } : {}) };
  if (failed.length > 0) return { spots: failed, ...(open.length > 0 ? { beside: open } : {}) };
  if (open.length > 0) return { spots: open };
  const begins = beginning(input.reported?.steps ?? [], states.length > 0);
  if (begins) return { spots: [begins] };
  const over = overOf(input, stages, states);
  return { spots: [], ...(over === undefined ? {} : { over }) };
}

/** A change that another one took the place of has not failed. */
function isFailed({ finished }: SequenceState): boolean {
  return finished !== undefined && finished.result === 'fail' && finished.reason !== 'superseded';
}

function commonOf(state: SequenceState) {
  const { triggered } = state;
  const override = overrideGroups(state);
  return {
    stage: triggered?.place.stage ?? '',
    sequence: triggered?.sequence ?? '',
    revision: triggered?.revision ?? '',
    heardAt: heardAt(state),
    ...(override.length === 0 ? {} : { override }),
  };
}

function failedSpot(state: SequenceState, input: ChangeInput): Spot {
  const failed = failureOf(state, input);
  const task = state.tasks.findLast(({ name }) => name === failed.task);
  const check = checkOf(task?.memo, task?.data);
  return {
    ...commonOf(state),
    step: failed.task ?? 'plan',
    ...(task === undefined ? {} : { task: task.id }),
    since: failed.at,
    failed,
    ...(check === undefined ? {} : { check }),
    ...reviewIn(state),
  };
}

/** The pull request of a promotion that was closed or rejected: it can be looked at, and taken up again. */
function reviewIn(state: SequenceState): Pick<Spot, 'review' | 'approval'> {
  const [first] = promotionSpots(state, { withEnded: true });
  return {
    ...(first?.review === undefined ? {} : { review: first.review }),
    ...(first?.approval === undefined ? {} : { approval: first.approval }),
  };
}

function openSpots(state: SequenceState, input: ChangeInput): Spot[] {
  const task = currentTask(state);
  const common = { ...commonOf(state), ...stoppedOf(state, input) };
  if (state.phase !== 'running' || !task) return [turnSpot(state, input, common)];
  const since = task.triggeredAt;
  const { blocker } = task;
  const wait = blocker === undefined ? {} : { wait: blocker };
  if (task.name === 'promotion') {
    const promotions = promotionSpots(state, {});
    const own = promotions.length > 0 ? promotions : [{}];
    const warned = warnedOf(state, input.sequences);
    return own.map((one) => ({
      ...common,
      step: 'promotion' as const,
      task: task.id,
      since,
      ...wait,
      ...warned,
      ...one,
    }));
  }
  const check = checkOf(task.memo, task.data);
  const approval = approvalOf(state, task, input.sequences);
  return [
    {
      ...common,
      step: task.name,
      task: task.id,
      since,
      ...wait,
      ...(check === undefined ? {} : { check }),
      ...(approval === undefined ? {} : { approval, ...warnedOf(state, input.sequences) }),
    },
  ];
}

/** It has not begun, or is between two tasks. */
function turnSpot(state: SequenceState, input: ChangeInput, common: Omit<Spot, 'step' | 'since'>): Spot {
  const since = state.tasks.at(-1)?.finishedAt ?? state.triggered?.at ?? '';
  const last = state.tasks.at(-1);
  // Between two tasks, for a moment.
  if (last && state.phase === 'running') return { ...common, step: last.name, since };
  const ahead = aheadOf(state, input.neighbours ?? []);
  return { ...common, step: 'turn', since, ...(ahead === undefined ? {} : { ahead }) };
}

function stoppedOf({ paused, triggered, override }: SequenceState, { stops = [] }: ChangeInput): Pick<Spot, 'stopped'> {
  if (paused) return { stopped: { what: 'held', actor: paused.actor, reason: paused.reason, at: paused.at } };
  if (!triggered || override || triggered.rollsBack || triggered.asked?.what === 'rollback') return {};
  const stop = stopFor(stops, triggered.place);
  if (!stop) return {};
  return { stopped: { what: 'line', actor: stop.actor, reason: stop.reason, at: stop.at, scope: scopeOf(stop) } };
}

const CHECKS: ReadonlySet<unknown> = new Set(['error-budget', 'risk', 'window']);

/** The check that says no, with its numbers, as the task has kept it. */
function checkOf(memo: unknown, data: unknown): Spot['check'] {
  const kept = isJsonObject(memo) ? memo['blocking'] : undefined;
  const ended = isJsonObject(data) ? data['blocking'] : undefined;
  const found = isJsonObject(ended) ? ended : isJsonObject(kept) ? kept : undefined;
  if (!found || !CHECKS.has(found['check'])) return undefined;
  const { check, value, limit, why } = found;
  return {
    name: check as NonNullable<Spot['check']>['name'],
    ...(typeof value === 'number' ? { value } : {}),
    ...(typeof limit === 'number' ? { limit } : {}),
    ...(typeof why === 'string' ? { why } : {}),
  };
}

/** Before the first stage: what CI does, or failed at; after its last step the delivery system has to see the commit. */
function beginning(steps: readonly Step[], isDelivered: boolean): Spot | undefined {
  const early = steps.filter(({ stage }) => stage === undefined);
  if (isDelivered || early.length === 0) return undefined;
  const step =
    early.find(({ state }) => state === 'failed') ??
    early.find(({ state, endedAt }) => endedAt === undefined && state !== 'unknown');
  const last = step ?? early.at(-1);
  if (!last) return undefined;
  const since = (step ? last.startedAt : (last.endedAt ?? last.startedAt)) ?? '';
  const url = last.links[0]?.url;
  return {
    step: step ? last.key : 'turn',
    since,
    heardAt: last.endedAt ?? last.startedAt ?? since,
    reported: {
      state: last.state,
      ...(last.detail === undefined ? {} : { detail: last.detail }),
      ...(url === undefined ? {} : { url }),
    },
  };
}

function overOf(
  { neighbours = [] }: ChangeInput,
  stages: readonly string[],
  states: readonly SequenceState[],
): Over | undefined {
  const ended = states.filter(({ finished }) => finished !== undefined);
  const last = ended.at(-1);
  const finished = last?.finished;
  if (!last?.triggered || !finished) return undefined;
  const { stage } = last.triggered.place;
  const superseded = ended.find((state) => state.finished?.reason === 'superseded');
  if (superseded?.triggered && superseded.finished) {
    const by = named(neighbours, superseded.finished.by);
    const { place } = superseded.triggered;
    return { how: 'superseded', stage: place.stage, at: superseded.finished.at, ...(by === undefined ? {} : { by }) };
  }
  for (const handed of handedTo(states)) {
    const { stage: to } = handed.place;
    if (isOvertaken(handed, neighbours)) return { how: 'superseded', stage: to, at: finished.at };
  }
  // It went no further, though the delivery does: by the stage's policy.
  const stays = stages.at(-1) !== stage && worstResult(last) !== 'fail';
  return { how: 'done', stage, at: finished.at, ...(stays ? { message: finished.message } : {}) };
}

/** When anything last happened in a sequence. */
export function heardAt({ triggered, tasks, finished, paused }: SequenceState): string {
  const times = tasks.flatMap(({ triggeredAt, finishedAt, blocker, decisions }) => [
    triggeredAt,
    finishedAt ?? '',
    blocker?.since ?? '',
    ...(decisions ?? []).map(({ at }) => at),
  ]);
  return [triggered?.at ?? '', finished?.at ?? '', paused?.at ?? '', ...times].reduce((a, b) => (b > a ? b : a), '');
}
