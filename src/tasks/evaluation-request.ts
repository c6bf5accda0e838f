import type { ComparisonPolicy, EvaluationPolicy } from '../definitions/delivery.ts';
import type { Problem } from '../definitions/problem.ts';
import type { EvaluationTriggered, Result, Status } from '../events/types.ts';
import { createReader, findDelivery, readDefinitions, readStage, sayAll } from './delivery-files.ts';
import { type Definitions, parseDefinitions } from './evaluation-definitions.ts';
import { judge } from './evaluation-judge.ts';
import { labelsOf } from './labels.ts';
import { fittingIndicators } from './pushed-indicators.ts';
import type { TaskTools } from './task.ts';

/** How many pushed events are looked through. */
const PUSHES = 200;

export interface RequestOutcome {
  status: Status;
  result: Result;
  message: string;
  data: Record<string, unknown>;
}

/** What can be said against a request before anything is asked: mistakes in the texts that came with it. */
export function problemsOfRequest(
  request: Pick<EvaluationTriggered, 'slo' | 'sli' | 'compareWith' | 'compatibility'>,
): Problem[] {
  if (request.slo === undefined) return [];
  const parsed = inlineDefinitions(request);
  return parsed.ok ? [] : parsed.problems;
}

/**
 * Judges what somebody asked for. Mistakes in files are an outcome, and never a pass.
 *
 * @throws {AdapterError} a source or the Git host could not be asked
 */
export async function evaluateRequest(
  request: EvaluationTriggered,
  tools: TaskTools,
  { now, signal }: { now: Date; signal: AbortSignal },
): Promise<RequestOutcome> {
  const found = await definitionsOf(request, tools, signal);
  if ('problem' in found) return { status: 'errored', result: 'fail', message: found.problem, data: {} };
  const { definitions, policy, files } = found;
  const { place, context, revision, period } = request;
  const provider = request.provider ?? policy.provider;
  const compareWith = comparisonOf(request) ?? policy.compareWith;
  const { result, message, ...evaluation } = await judge(
    {
      definitions,
      place,
      context,
      period,
      ...(revision === undefined ? {} : { revision }),
      ...(provider === undefined ? {} : { provider }),
      ...(compareWith === undefined ? {} : { compareWith }),
      ...(request.again === undefined ? {} : { except: request.again }),
      given: new Map(Object.entries(request.values ?? {})),
      figures: await pushedFor(request, tools, now),
      labels: { ...(await labelsOf(tools, place, definitions, signal)), ...request.labels },
      signal,
    },
    tools,
  );
  const data = { evaluation: { result, message, ...evaluation }, period, ...(files.length > 0 ? { files } : {}) };
  return { status: 'succeeded', result, message, data };
}

function comparisonOf({ compareWith }: Pick<EvaluationTriggered, 'compareWith'>): ComparisonPolicy | undefined {
  return compareWith as unknown as ComparisonPolicy | undefined;
}

async function pushedFor(
  { place, revision, period }: EvaluationTriggered,
  tools: TaskTools,
  now: Date,
): Promise<ReadonlyMap<string, number>> {
  const pushed = await tools.history.pushedIndicators(place, PUSHES);
  return fittingIndicators(pushed, {
    ...(revision === undefined ? {} : { revision }),
    since: period.start,
    until: now.toISOString(),
  });
}

type Policy = Pick<EvaluationPolicy, 'provider' | 'compareWith' | 'compatibility'>;
type FoundDefinitions =
  | { definitions: Definitions; policy: Policy; files: { path: string; sha256: string }[] }
  | { problem: string };

function inlineDefinitions(request: Pick<EvaluationTriggered, 'slo' | 'sli' | 'compareWith' | 'compatibility'>) {
  return parseDefinitions(request.slo ?? '', request.sli, policyOf(request));
}

function policyOf(request: Pick<EvaluationTriggered, 'compareWith' | 'compatibility'>): Policy {
  const compareWith = comparisonOf(request);
  const { compatibility } = request;
  return {
    ...(compareWith === undefined ? {} : { compareWith }),
    ...(compatibility === undefined ? {} : { compatibility }),
  };
}

async function definitionsOf(
  request: EvaluationTriggered,
  tools: TaskTools,
  signal: AbortSignal,
): Promise<FoundDefinitions> {
  if (request.slo !== undefined) {
    const parsed = inlineDefinitions(request);
    return parsed.ok ? { definitions: parsed.value, policy: {}, files: [] } : { problem: sayAll(parsed.problems) };
  }
  return fromRepository(request, tools, signal);
}

/** As the plan of a change reads them, with what the request says otherwise. */
async function fromRepository(
  request: EvaluationTriggered,
  tools: TaskTools,
  signal: AbortSignal,
): Promise<FoundDefinitions> {
  const { files: where, place } = request;
  if (!where) return { problem: 'there is neither an slo nor a repository to read one from' };
  const repository = { url: where.repoUrl };
  const host = tools.gitHost(repository);
  if (!host) return { problem: `no Git host is configured for ${where.repoUrl}: send slo and sli with the request` };
  const reader = createReader(host, repository, where.revision, signal);
  const { deliveryFile } = where;
  const file = await findDelivery(reader, {
    source: { path: where.path },
    ...(deliveryFile === undefined ? {} : { deliveryFile }),
  });
  if (!file)
    return { problem: `there is no delivery.yaml at ${where.revision.slice(0, 8)}: send slo with the request` };
  const stage = readStage(file, place);
  if (!stage.ok) return { problem: sayAll(stage.problems) };
  const { evaluation } = stage.value.stage;
  if (!evaluation) return { problem: `${file.path} has no "evaluation" for stage ${place.stage}` };
  const policy = { ...evaluation, ...policyOf(request) };
  const definitions = await readDefinitions(reader, policy, file.path);
  if (!definitions.ok) return { problem: sayAll(definitions.problems) };
  return { definitions: definitions.value, policy, files: reader.files };
}
