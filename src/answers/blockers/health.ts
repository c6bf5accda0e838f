import { kindOf } from '../kind-of.ts';
import type { BlockerRule } from '../told.ts';
import { afterFailure, looks } from '../ways.ts';
import { between, name, prose, sentence } from '../words.ts';

/** Rollouts pass through unhealthy states; for so long that is nobody's business, in seconds. */
const PATIENCE = 60;
const SETTLING = /^healthy/;

/** It is deployed, and not (yet) healthy. */
export const health: BlockerRule = {
  kind: 'health',
  turnsAt(spot) {
    if (kindOf(spot) !== 'health' || spot.failed) return undefined;
    return Date.parse(spot.wait?.since ?? spot.since) + PATIENCE * 1000;
  },
  tell(spot, facts, { now }) {
    if (kindOf(spot) !== 'health') return undefined;
    const { failed, stage = '', since, wait } = spot;
    if (failed) {
      const ways = afterFailure(spot, facts);
      return {
        sentence: sentence`not healthy in ${name(stage)}: ${prose(failed.message)}`,
        since: failed.at,
        stage,
        ways,
      };
    }
    const words = wait?.sentence ?? 'waiting until it is healthy';
    const isCalm = SETTLING.test(words) || between(wait?.since ?? since, now) < PATIENCE * 1000;
    return {
      sentence: sentence`health in ${name(stage)}: ${prose(words.replace(/^health is /, ''))}`,
      since,
      stage,
      ways: isCalm ? [] : [looks(facts)],
    };
  },
};
