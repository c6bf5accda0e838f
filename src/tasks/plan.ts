import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { sha256 } from '../base/ids.ts';
import type { Delivery, ErrorBudgetPolicy, Stage } from '../definitions/delivery.ts';
import { parseDelivery } from '../definitions/delivery-yaml.ts';
import { parseOpenSlo } from '../definitions/openslo-yaml.ts';
import { type Parsed, type Problem, sayProblem } from '../definitions/problem.ts';
import { parseSli } from '../definitions/sli-yaml.ts';
import { parseSlo } from '../definitions/slo-yaml.ts';
import { type Found, planDelivery, planToJson } from '../engine/plan.ts';
import type { SequenceTriggered } from '../events/types.ts';
import { errored, pass, type TaskHandler, type TaskInput } from './task.ts';

/** Looked for in this order, when the application's annotation does not name it. */
const USUAL_PLACES = ['delivery.yaml', '.lynceus/delivery.yaml'];

/**
 * Reads the user's files at the delivered commit and decides what will be done with it. Everything that
 * follows works on what was read here: a file that changes later changes nothing under way.
 */
export const plan: TaskHandler = {
  name: 'plan',
  async run(input, tools) {
    const repository = { url: input.triggered.source.repoUrl };
    const host = tools.gitHost(repository);
    if (!host)
      return pass(
        `no Git host is configured for ${repository.url}: only health is verified`,
        planToJson(planDelivery({ files: [] })),
      );
    const reader = createReader(host, repository, input);
    const file = await findDelivery(reader, input.triggered);
    const { deliveryFile } = input.triggered;
    if (!file && deliveryFile !== undefined) {
      return errored(`the application's annotation names ${deliveryFile}, which is not there at this commit`);
    }
    if (!file) return pass('no delivery.yaml: only health is verified', planToJson(planDelivery({ files: [] })));
    const found = await read(reader, file, input.triggered);
    if (!found.ok) return errored(sayAll(found.problems));
    return pass(`planned from ${file.path}`, planToJson(planDelivery(found.value)));
  },
};

/** People mend a file one mistake after the other; more than this in one message helps nobody. */
const SHOWN_PROBLEMS = 10;

function sayAll(problems: readonly Problem[]): string {
  const more = problems.length - SHOWN_PROBLEMS;
  return [...problems.slice(0, SHOWN_PROBLEMS).map(sayProblem), ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

interface File {
  path: string;
  text: string;
}

interface Reader {
  read(path: string): Promise<File | undefined>;
  files: Found['files'];
}

function createReader(host: GitHost, repository: Repository, { triggered, signal }: TaskInput): Reader {
  const files: Found['files'] = [];
  return {
    files,
    async read(path) {
      const text = await host.readFile(repository, triggered.revision, path, { signal });
      if (text === undefined) return undefined;
      files.push({ path, sha256: sha256(text) });
      return { path, text };
    },
  };
}

async function findDelivery(reader: Reader, { deliveryFile, source }: SequenceTriggered): Promise<File | undefined> {
  const beside = source.path === '' || source.path === '.' ? [] : [`${source.path.replace(/\/+$/, '')}/delivery.yaml`];
  const places = deliveryFile === undefined ? [...beside, ...USUAL_PLACES] : [deliveryFile];
  for (const path of places) {
    const file = await reader.read(path);
    if (file) return file;
  }
  return undefined;
}

async function read(reader: Reader, file: File, { place }: SequenceTriggered): Promise<Parsed<Found>> {
  const delivery = parseDelivery(file.text, file.path);
  if (!delivery.ok) return delivery;
  const stage = findStage(delivery.value, place, file.path);
  if (!stage.ok) return stage;
  const slo = await readSlo(reader, stage.value, file.path);
  if (!slo.ok) return slo;
  const budget = await readErrorBudget(reader, stage.value, file.path);
  if (!budget.ok) return budget;
  const promotionBranch = delivery.value.stages.find(({ name }) => name === stage.value.promotion?.to)?.branch;
  return {
    ok: true,
    value: {
      stage: stage.value,
      files: reader.files,
      ...slo.value,
      ...budget.value,
      ...(promotionBranch === undefined ? {} : { promotionBranch }),
    },
  };
}

function findStage(delivery: Delivery, { stage, service }: SequenceTriggered['place'], file: string): Parsed<Stage> {
  const found = delivery.stages.find(({ name }) => name === stage);
  if (!found) {
    const known = delivery.stages.map(({ name }) => name).join(', ');
    return problem(
      file,
      'spec.stages',
      `has no stage "${stage}", which the application's label names (known: ${known})`,
    );
  }
  if (delivery.services.length > 0 && !delivery.services.includes(service)) {
    return problem(
      file,
      'spec.services',
      `does not list "${service}", which the application's label names (known: ${delivery.services.join(', ')})`,
    );
  }
  return { ok: true, value: found };
}

async function readSlo(
  reader: Reader,
  stage: Stage,
  deliveryFile: string,
): Promise<Parsed<Pick<Found, 'slo' | 'sli'>>> {
  const policy = stage.evaluation;
  if (!policy) return { ok: true, value: {} };
  const slo = await readBeside(reader, deliveryFile, policy.slo, parseSlo);
  if (!slo.ok) return slo;
  if (policy.sli === undefined) return { ok: true, value: { slo: slo.value } };
  const sli = await readBeside(reader, deliveryFile, policy.sli, parseSli);
  return sli.ok ? { ok: true, value: { slo: slo.value, sli: sli.value } } : sli;
}

async function readErrorBudget(
  reader: Reader,
  stage: Stage,
  deliveryFile: string,
): Promise<Parsed<{ errorBudget?: ErrorBudgetPolicy }>> {
  const policy = stage.checks.errorBudget;
  if (!policy) return { ok: true, value: {} };
  if (policy.openslo === undefined) return { ok: true, value: { errorBudget: policy } };
  const target = await readBeside(reader, deliveryFile, policy.openslo, parseOpenSlo);
  if (!target.ok) return target;
  const { errorRatio, target: objective, windowMs } = target.value;
  return { ok: true, value: { errorBudget: { ...policy, errorRatio, target: objective, windowMs } } };
}

async function readBeside<T>(
  reader: Reader,
  deliveryFile: string,
  name: string,
  parse: (text: string, file: string) => Parsed<T>,
): Promise<Parsed<T>> {
  const folder = deliveryFile.includes('/') ? deliveryFile.slice(0, deliveryFile.lastIndexOf('/') + 1) : '';
  const file = await reader.read(folder + name);
  // A gate whose file is missing is not an open gate.
  if (!file) return problem(deliveryFile, '', `names ${folder}${name}, which is not there at this commit`);
  return parse(file.text, file.path);
}

function problem(file: string, path: string, message: string): { ok: false; problems: Problem[] } {
  return { ok: false, problems: [{ file, line: 1, column: 1, path, message }] };
}
