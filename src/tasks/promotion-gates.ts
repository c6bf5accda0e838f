import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import type { JsonObject } from '../base/json.ts';
import { stopFor } from '../engine/stop-the-line.ts';
import { conflictGate } from '../promotion/conflict.ts';
import type { PromotionGate } from '../promotion/gate.ts';
import { holdGate, stopGate } from '../promotion/gates/people.ts';
import { verificationGate } from '../promotion/gates/verification.ts';
import { windowGate } from '../promotion/gates/windows.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** Evaluations of a stage that are looked through for later ones of a change. */
const LOOK_BACK = 100;

/** Everything but the approval that keeps an open promotion from being merged right now. Asks nobody outside. */
export async function gatesOf(scene: PromotionScene, { number, headSha }: PullRequest): Promise<PromotionGate[]> {
  const { input, tools, step, target, memo, head } = scene;
  const { place } = input.triggered;
  const stops = (await tools.stops?.()) ?? [];
  const verdicts = (await tools.history.verdicts?.(place, LOOK_BACK)) ?? [];
  const windows = windowGate([step.windows ?? [], target.windows ?? []], input.now);
  return [
    stopGate(stopFor(stops, { ...place, stage: target.to })),
    holdGate(input.sequence),
    verificationGate(input.sequence, verdicts, withdrawnBefore(memo)),
    conflictGate(memo, headSha !== head, number),
    ...(windows ? [windows] : []),
  ];
}

/** For the memo of the target: why the green mark was withdrawn, as long as it is. */
export function rememberWithdrawn(memo: JsonObject, gates: readonly PromotionGate[]): JsonObject {
  const { withdrawn: _, ...rest } = memo;
  const gate = gates.find(({ name, state }) => name === 'verification' && state === 'failure');
  return gate === undefined ? rest : { ...rest, withdrawn: gate.sentence };
}

function withdrawnBefore({ withdrawn }: JsonObject): string | undefined {
  return typeof withdrawn === 'string' ? withdrawn : undefined;
}
