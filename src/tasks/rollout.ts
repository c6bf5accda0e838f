import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import { type Revisions, short } from '../engine/revisions.ts';
import { isAskedFor, judgeRollout, type RolloutQuestion } from '../engine/rollout.ts';
import { type Application, applicationKey } from '../events/application.ts';
import { deployedImages } from './deployed-images.ts';
import { overallOutcome } from './each-application.ts';
import { atPause } from './paused-rollout.ts';
import {
  errored,
  overtaken,
  pass,
  type TaskHandler,
  type TaskInput,
  type TaskOutcome,
  type TaskTools,
  waiting,
} from './task.ts';

/** Health moves without a word when notifications are lost. */
const POLL_MS = 2_000;

/** Waits until the commit is deployed and has been healthy for the settle time. */
export const rollout: TaskHandler = {
  name: 'rollout',
  run: (input, tools) => overallOutcome(input, tools, lookOnce),
};

async function lookOnce(
  input: TaskInput,
  _tools: TaskTools,
  system: DeliverySystem,
  application: Application,
): Promise<TaskOutcome> {
  const paused = await atPause(input, system, application, questionOf(input));
  if (paused) return paused;
  const settleMs = plannedStep(input.sequence, 'rollout')?.settleMs ?? 0;
  const key = applicationKey(application.ref);
  const remembered = (input.task.memo['healthySince'] ?? {}) as Record<string, string>;
  const healthySince = remembered[key];
  const judgement = judgeRollout(application, {
    ...questionOf(input),
    settleMs,
    now: input.now.toISOString(),
    ...(healthySince === undefined ? {} : { healthySince }),
  });
  switch (judgement.kind) {
    case 'deployed':
      return passed(`${short(input.triggered.revision)} is deployed and healthy`, input, system, application);
    case 'failed':
      return otherCommit(application, input.triggered, judgement.sentence);
    case 'progressing': {
      const paused = without((input.task.memo['paused'] ?? {}) as Record<string, string>, key, undefined);
      const memo = {
        healthySince: without(remembered, key, judgement.healthySince),
        ...(isEmpty(paused) ? {} : { paused }),
      };
      const askAgainMs =
        judgement.healthySince === undefined ? POLL_MS : untilSettled(judgement.healthySince, settleMs, input.now);
      // The seconds counted while settling are no news for the log.
      const sentence =
        judgement.healthySince === undefined ? judgement.sentence : `healthy, settling for ${settleMs / 1000} s`;
      return waiting({ kind: 'health', sentence }, askAgainMs, memo);
    }
  }
}

/** With what runs now. */
export async function passed(
  sentence: string,
  { signal }: TaskInput,
  system: DeliverySystem,
  application: Application,
): Promise<TaskOutcome> {
  const { images, unknown } = await deployedImages(system, application, signal);
  return pass(unknown === undefined ? sentence : `${sentence}; ${unknown}`, { images });
}

/** What a change has to be, wherever its rollout is judged. */
export function questionOf({
  triggered,
  sequence,
}: TaskInput): Pick<RolloutQuestion, 'revision' | 'revisions' | 'drySha' | 'suspended'> {
  const { revision, revisions, drySha } = triggered;
  const suspended = plannedStep(sequence, 'rollout')?.suspended;
  return {
    revision,
    ...(revisions === undefined ? {} : { revisions }),
    ...(drySha === undefined ? {} : { drySha }),
    ...(suspended === undefined ? {} : { suspended }),
  };
}

/** Another commit is there: because a newer change came, or because somebody put back an older one. */
export function otherCommit(application: Application, wanted: Revisions, sentence: string): TaskOutcome {
  return isAskedFor(application, wanted) ? errored(sentence) : overtaken(sentence);
}

function without(all: Record<string, string>, key: string, value: string | undefined): JsonObject {
  const { [key]: _, ...others } = all;
  return value === undefined ? others : { ...others, [key]: value };
}

function isEmpty(all: JsonObject): boolean {
  return Object.keys(all).length === 0;
}

/** Health is looked at in between too: a break starts the settle time anew. */
function untilSettled(since: string, settleMs: number, now: Date): number {
  const left = Date.parse(since) + settleMs - now.getTime();
  return Math.max(50, Math.min(POLL_MS, left));
}
