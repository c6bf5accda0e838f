import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import { sha256 } from '../base/ids.ts';
import type { Delivery, EvaluationPolicy, Stage } from '../definitions/delivery.ts';
import { parseDelivery } from '../definitions/delivery-yaml.ts';
import { type Parsed, type Problem, sayProblem } from '../definitions/problem.ts';
import { parseSli } from '../definitions/sli-yaml.ts';
import { parseSlo } from '../definitions/slo-yaml.ts';
import type { Found } from '../engine/plan.ts';
import type { Place } from '../events/application.ts';
import { type Definitions, withControl } from './evaluation-definitions.ts';

/** Looked for in this order, when the application's annotation does not name it. */
const USUAL_PLACES = ['delivery.yaml', '.lynceus/delivery.yaml'];

export interface File {
  path: string;
  text: string;
}

/** Reads a repository at one commit and keeps in mind what was read. */
export interface Reader {
  read(path: string): Promise<File | undefined>;
  files: Found['files'];
}

export function createReader(host: GitHost, repository: Repository, revision: string, signal: AbortSignal): Reader {
  const files: Found['files'] = [];
  return {
    files,
    async read(path) {
      const text = await host.readFile(repository, revision, path, { signal });
      if (text === undefined) return undefined;
      files.push({ path, sha256: sha256(text) });
      return { path, text };
    },
  };
}

/** Where an application's files are. */
export interface Whereabouts {
  deliveryFile?: string;
  source: { path: string };
}

export async function findDelivery(reader: Reader, { deliveryFile, source }: Whereabouts): Promise<File | undefined> {
  const beside = source.path === '' || source.path === '.' ? [] : [`${source.path.replace(/\/+$/, '')}/delivery.yaml`];
  const places = deliveryFile === undefined ? [...beside, ...USUAL_PLACES] : [deliveryFile];
  for (const path of places) {
    const file = await reader.read(path);
    if (file) return file;
  }
  return undefined;
}

/** What a delivery.yaml demands at a place. */
export function readStage(file: File, place: Place): Parsed<{ delivery: Delivery; stage: Stage }> {
  const delivery = parseDelivery(file.text, file.path);
  if (!delivery.ok) return delivery;
  const { stages, services } = delivery.value;
  const stage = stages.find(({ name }) => name === place.stage);
  if (!stage) {
    const known = stages.map(({ name }) => name).join(', ');
    const message = `has no stage "${place.stage}", which the application's label names (known: ${known})`;
    return problem(file.path, 'spec.stages', message);
  }
  if (services.length > 0 && !services.includes(place.service)) {
    const message = `does not list "${place.service}", which the application's label names (known: ${services.join(', ')})`;
    return problem(file.path, 'spec.services', message);
  }
  return { ok: true, value: { delivery: delivery.value, stage } };
}

/** The objectives and indicators of a stage's evaluation. */
export async function readDefinitions(
  reader: Reader,
  policy: EvaluationPolicy,
  deliveryFile: string,
): Promise<Parsed<Definitions>> {
  const slo = await readBeside(reader, deliveryFile, policy.slo, (text, file) =>
    parseSlo(text, file, policy.compatibility),
  );
  if (!slo.ok) return slo;
  const sli: Definitions['sli'] = {};
  for (const name of policy.sli) {
    const found = await readBeside(reader, deliveryFile, name, parseSli);
    if (!found.ok) return found;
    const twice = Object.keys(found.value).find((indicator) => Object.hasOwn(sli, indicator));
    if (twice !== undefined)
      return problem(name, 'indicators', `"${twice}" is in another of the files of "sli" already: keep one`);
    Object.assign(sli, found.value);
  }
  return withControl({ slo: slo.value, sli }, policy, policy.slo);
}

export async function readBeside<T>(
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

export function problem(file: string, path: string, message: string): { ok: false; problems: Problem[] } {
  return { ok: false, problems: [{ file, line: 1, column: 1, path, message }] };
}

/** People mend a file one mistake after the other; more than this in one message helps nobody. */
const SHOWN_PROBLEMS = 10;

export function sayAll(problems: readonly Problem[]): string {
  const more = problems.length - SHOWN_PROBLEMS;
  return [...problems.slice(0, SHOWN_PROBLEMS).map(sayProblem), ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}
