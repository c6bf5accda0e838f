import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import type { Repository } from '../adapters/git-hosts/git-host.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { inGit } from '../engine/in-git.ts';
import type { PromotionTarget } from '../engine/plan.ts';
import { short } from '../engine/revisions.ts';
import { sayHydration } from '../engine/rollout.ts';
import type { Application } from '../events/application.ts';
import { overtaken, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

/** Hydration takes seconds to minutes, and tells of its end. */
const POLL_MS = 5_000;

/** What a promotion moves, and in which repository. */
export interface Promoted {
  repository: Repository;
  revision: string;
}

/**
 * What goes to the next stage: the verified commit, or, where that stage has its manifests rendered to a
 * branch of its own before they are synced (`hydrateTo`), what was rendered there from that commit. The
 * hydrator alone writes its branches; bringing one into the other is the promotion.
 */
export async function whatToPromote(
  input: TaskInput,
  tools: TaskTools,
  promotion: PromotionTarget,
  memo: JsonObject,
): Promise<Promoted | TaskOutcome> {
  const chosen = chosenBefore(memo);
  if (chosen) return chosen;
  const dry = inGit(input.triggered);
  const target = await hydratedTarget(input, tools, promotion);
  if (!target?.hydration) return dry;
  const { hydration, source } = target;
  const said = sayHydration(target, dry.revision);
  if (said !== undefined) return waiting({ kind: 'sync', sentence: said }, POLL_MS);
  if (hydration.drySha === dry.revision && hydration.hydratedSha !== undefined) {
    return { repository: { url: source.repoUrl }, revision: hydration.hydratedSha };
  }
  const host = tools.gitHost(dry.repository);
  const passed =
    hydration.drySha !== undefined && (await host?.contains(dry.repository, hydration.drySha, dry.revision, input));
  if (passed) return overtaken(`${hydration.hydrateTo} holds a newer commit than ${short(dry.revision)}`);
  return waiting({ kind: 'sync', sentence: `${short(dry.revision)} is not hydrated for ${promotion.to} yet` }, POLL_MS);
}

/** Once its pull request is open, a promotion stays with what it chose. */
export function chosenBefore({ hydrated }: JsonObject): Promoted | undefined {
  if (!isJsonObject(hydrated)) return undefined;
  return { repository: { url: String(hydrated['repoUrl']) }, revision: String(hydrated['revision']) };
}

async function hydratedTarget(
  { triggered, signal }: TaskInput,
  tools: TaskTools,
  promotion: PromotionTarget,
): Promise<Application | undefined> {
  for (const ref of await tools.history.applications({ ...triggered.place, stage: promotion.to })) {
    const system: DeliverySystem | undefined = tools.deliverySystem(ref.system);
    const application = await system?.read(ref, { signal });
    const hydration = application?.hydration;
    if (hydration?.hydrateTo !== undefined && hydration.branch === promotion.branch) return application;
  }
  return undefined;
}
