import type { Delivery, ErrorBudgetPolicy, Stage } from '../definitions/delivery.ts';
import { parseKeptnPromotion } from '../definitions/keptn-promotion.ts';
import { parseOpenSlo } from '../definitions/openslo-yaml.ts';
import type { Parsed } from '../definitions/problem.ts';
import { inGit } from '../engine/in-git.ts';
import type { PromotionTarget } from '../engine/plan.ts';
import { type Found, planDelivery, planRollback, planToJson } from '../engine/plan.ts';
import { short } from '../engine/revisions.ts';
import type { SequenceTriggered } from '../events/types.ts';
import { withDocument } from '../slo/budget-plan.ts';
import {
  createReader,
  type File,
  findDelivery,
  problem,
  type Reader,
  readBeside,
  readDefinitions,
  readStage,
  sayAll,
} from './delivery-files.ts';
import { planAsked } from './plan-asked.ts';
import { readCommit } from './plan-commit.ts';
import { errored, pass, type TaskHandler, type TaskInput, type TaskOutcome, type TaskTools } from './task.ts';

/**
 * Reads the user's files at the delivered commit and decides what will be done with it. Everything that
 * follows works on what was read here: a file that changes later changes nothing under way.
 */
export const plan: TaskHandler = {
  name: 'plan',
  async run(input, tools) {
    const asked = await planAsked(input, tools);
    if (asked) return asked;
    const planned = await planFromGit(input, tools);
    if (planned.kind !== 'finished') return planned;
    const commit = await readCommit(input, tools);
    return commit === undefined ? planned : { ...planned, data: { ...planned.data, commit } };
  },
};

async function planFromGit(input: TaskInput, tools: TaskTools): Promise<TaskOutcome> {
  const { repository, revision } = inGit(input.triggered);
  if (input.triggered.source.kind !== undefined) return withoutGit(input.triggered);
  const host = tools.gitHost(repository);
  if (!host)
    return pass(
      `no Git host is configured for ${repository.url}: only health is verified`,
      planToJson(planDelivery({ files: [] })),
    );
  if (input.triggered.drySha === '') {
    return errored(
      `nothing says of which commit ${short(input.triggered.revision)} was hydrated: is hydrator.metadata there?`,
    );
  }
  const reader = createReader(host, repository, revision, input.signal);
  const file = await findDelivery(reader, input.triggered);
  const { deliveryFile } = input.triggered;
  if (!file && deliveryFile !== undefined) {
    return errored(`the application's annotation names ${deliveryFile}, which is not there at this commit`);
  }
  if (!file) return pass('no delivery.yaml: only health is verified', planToJson(planDelivery({ files: [] })));
  const found = await read(reader, file, input.triggered);
  if (!found.ok) return errored(sayAll(found.problems));
  return pass(`planned from ${file.path}`, planToJson(plannedFor(input.triggered, found.value)));
}

/** A chart comes with no files of the team. */
function withoutGit({ deliveryFile }: SequenceTriggered): TaskOutcome {
  if (deliveryFile !== undefined) {
    return errored(`the application's annotation names ${deliveryFile}, but none of its sources is in Git`);
  }
  const sentence = 'none of its sources is in Git, so there is no delivery.yaml: only health is verified';
  return pass(sentence, planToJson(planDelivery({ files: [] })));
}

function plannedFor({ rollsBack }: SequenceTriggered, found: Found) {
  return rollsBack ? planRollback(found) : planDelivery(found);
}

async function read(reader: Reader, file: File, { place }: SequenceTriggered): Promise<Parsed<Found>> {
  const found = readStage(file, place);
  if (!found.ok) return found;
  const { delivery, stage } = found.value;
  const evaluation = stage.evaluation;
  const definitions: Parsed<Pick<Found, 'slo' | 'sli'>> = evaluation
    ? await readDefinitions(reader, evaluation, file.path)
    : { ok: true, value: {} };
  if (!definitions.ok) return definitions;
  const budget = await readErrorBudget(reader, stage, file.path);
  if (!budget.ok) return budget;
  const changes = await readChanges(reader, stage, file.path);
  if (!changes.ok) return changes;
  return {
    ok: true,
    value: {
      stage,
      files: reader.files,
      ...definitions.value,
      ...budget.value,
      ...changes.value,
      promotionTargets: targetsOf(delivery, stage),
      stages: delivery.stages.map(({ name, promotion }) => ({ name, ...(promotion ? { to: promotion.to } : {}) })),
    },
  };
}

/** A stage without a branch cannot be promoted to; the file that says so is refused before it comes here. */
function targetsOf({ stages }: Delivery, { promotion }: Stage): PromotionTarget[] {
  return (promotion?.to ?? []).flatMap((to) => {
    const target = stages.find(({ name }) => name === to);
    if (target?.branch === undefined) return [];
    const from = stages.filter((other) => other.promotion?.to.includes(to)).map(({ name }) => name);
    const windows = target.sync === 'automatic' ? target.checks.windows : [];
    return [{ to, branch: target.branch, from, ...(windows.length > 0 ? { windows } : {}) }];
  });
}

async function readChanges(
  reader: Reader,
  { promotion }: Stage,
  deliveryFile: string,
): Promise<Parsed<Pick<Found, 'promotionChanges'>>> {
  const { changes } = promotion ?? {};
  if (typeof changes !== 'string')
    return { ok: true, value: changes === undefined ? {} : { promotionChanges: changes } };
  const read = await readBeside(reader, deliveryFile, changes, parseKeptnPromotion);
  if (!read.ok) return read;
  return { ok: true, value: read.value === undefined ? {} : { promotionChanges: read.value } };
}

async function readErrorBudget(
  reader: Reader,
  stage: Stage,
  deliveryFile: string,
): Promise<Parsed<{ errorBudget?: ErrorBudgetPolicy }>> {
  const policy = stage.checks.errorBudget;
  if (!policy) return { ok: true, value: {} };
  if (policy.openslo === undefined) return { ok: true, value: { errorBudget: policy } };
  const document = await readBeside(reader, deliveryFile, policy.openslo, parseOpenSlo);
  if (!document.ok) return document;
  const resolved = withDocument(policy, document.value);
  if (!resolved.ok) return problem(policy.openslo, 'spec.objectives', resolved.message);
  return { ok: true, value: { errorBudget: resolved.policy } };
}
