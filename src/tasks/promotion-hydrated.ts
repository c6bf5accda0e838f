import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import type { Repository } from '../adapters/git-hosts/git-host.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { dryShaIn, HYDRATOR_METADATA } from '../engine/hydrator-metadata.ts';
import { type InGit, inGit } from '../engine/in-git.ts';
import type { PromotionTarget } from '../engine/plan.ts';
import { short } from '../engine/revisions.ts';
import { sayHydration } from '../engine/rollout.ts';
import type { Application } from '../events/application.ts';
import { overtaken, type TaskInput, type TaskOutcome, type TaskTools, waiting } from './task.ts';

/** Hydration takes seconds to minutes, and tells of its end. */
const POLL_MS = 5_000;
/** Argo CD itself tries again after two minutes, or as soon as there is a newer commit. */
const FAILED_POLL_MS = 15_000;

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
  const { last, phase } = target.hydration;
  const rendered = { url: target.source.repoUrl };
  if (last?.drySha === dry.revision) return { repository: rendered, revision: last.hydratedSha };
  const said = sayHydration(target, dry.revision);
  // While the next one is at work, the last one is soon another.
  const isSettled = said === undefined || phase === 'Failed';
  if (isSettled && last && (await contains(tools, dry, last.drySha, input))) {
    const metadata = await tools.gitHost(rendered)?.readFile(rendered, last.hydratedSha, HYDRATOR_METADATA, input);
    // A newer commit that renders to the same leaves the hydrated one as it was.
    if (dryShaIn(metadata) === dry.revision) return { repository: rendered, revision: last.hydratedSha };
    return overtaken(`${target.hydration.hydrateTo} holds a newer commit than ${short(dry.revision)}`);
  }
  const sentence = said ?? `${short(dry.revision)} is not hydrated for ${promotion.to} yet`;
  return waiting({ kind: 'sync', sentence }, phase === 'Failed' ? FAILED_POLL_MS : POLL_MS);
}

/** Whether a commit comes after the one that is promoted. */
async function contains(tools: TaskTools, { repository, revision }: InGit, later: string, input: TaskInput) {
  return (await tools.gitHost(repository)?.contains(repository, later, revision, input)) === true;
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
