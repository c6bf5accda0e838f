import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import type { JsonObject } from '../base/json.ts';
import type { PromotionTarget } from '../engine/plan.ts';
import type { PromotionState, PromotionStep } from '../engine/promotion.ts';
import type { TaskInput, TaskOutcome, TaskTools } from './task.ts';

/** One look at the way to one target, with everything that it is about. */
export interface PromotionScene {
  input: TaskInput;
  tools: TaskTools;
  step: PromotionStep;
  target: PromotionTarget;
  /** What was remembered of this target at the last look. */
  memo: JsonObject;
  host: GitHost;
  repository: Repository;
  /** The commit to promote, as that repository names it. */
  revision: string;
  /** What its pull request points at: that commit, or one that was made of it. */
  head: string;
  /** It has ended like this; absent: it is open. */
  outcome?: TaskOutcome;
  /** The promotion that took its place. */
  replacedBy?: PromotionState;
}
