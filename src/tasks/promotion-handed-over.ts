import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** What is remembered before the host is asked to merge when its rules allow: whoever died meanwhile may have asked. */
export function handing(head: string): JsonObject {
  return { handing: head };
}

/** Whether that was remembered for this very head. */
export function isHanding({ memo, head }: Pick<PromotionScene, 'memo' | 'head'>): boolean {
  return memo['handing'] === head;
}

/**
 * Asks the host no longer to merge what it was handed: something closed, was withdrawn or moved since. Answers what is to
 * be remembered. A host that refuses is asked again at the next look.
 */
export async function takeBack({ input, host, repository }: PromotionScene, memo: JsonObject): Promise<JsonObject> {
  const { handing: head, handedOver, ...rest } = memo;
  const { pullRequest: number } = memo;
  if ((head ?? handedOver) === undefined || typeof number !== 'number' || !host.mergeNotYet) return memo;
  try {
    await input.effect('take-back', async () => host.mergeNotYet?.(repository, number, input));
    return rest;
  } catch (error) {
    if (error instanceof AdapterError && error.reason !== 'cancelled') return memo;
    throw error;
  }
}
