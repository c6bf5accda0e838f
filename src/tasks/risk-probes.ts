import { AdapterError } from '../base/adapter-error.ts';
import type { RiskPolicy, RiskProbe, RiskQuery } from '../definitions/delivery-risk.ts';
import type { Probe, RiskSignals } from '../risk/signals.ts';
import { variablesOf } from './evaluation.ts';
import type { TaskInput, TaskTools } from './task.ts';

/** Queries of a probe are asked as of now; this is the period that placeholders stand for. */
const PERIOD_MS = 24 * 3_600_000;
/** Queries under way at once: a metrics source is shared by everybody. */
const CONCURRENT_QUERIES = 8;

type Answer = { value: number } | { why: string };

/** What the stage's own queries say of alerts, dependencies and infrastructure; an outage is named, not thrown. */
export async function probeSignals(input: TaskInput, tools: TaskTools, policy: RiskPolicy): Promise<RiskSignals> {
  const { alerts, dependencies = [], infrastructure = [] } = policy;
  const wanted = [...(alerts ? [alerts] : []), ...dependencies, ...infrastructure];
  const answers = await readAll(wanted, input, tools);
  const probes = (all: readonly RiskProbe[]) =>
    all.map((probe): Probe => ({ ...limitsOf(probe), ...answers.get(probe) }));
  const unknown = {
    ...(alerts ? whyUnknown('alerts', answers.get(alerts)) : {}),
    ...firstUnknown('dependencies', dependencies, answers),
    ...firstUnknown('infrastructure', infrastructure, answers),
  };
  const firing = alerts && answers.get(alerts);
  return {
    ...(firing && 'value' in firing ? { alertsFiring: firing.value } : {}),
    ...(dependencies.length > 0 ? { dependencies: probes(dependencies) } : {}),
    ...(infrastructure.length > 0 ? { infrastructure: probes(infrastructure) } : {}),
    unknown,
  };
}

async function readAll(
  wanted: readonly RiskQuery[],
  input: TaskInput,
  tools: TaskTools,
): Promise<Map<RiskQuery, Answer>> {
  const answers = new Map<RiskQuery, Answer>();
  for (let at = 0; at < wanted.length; at += CONCURRENT_QUERIES) {
    const some = wanted.slice(at, at + CONCURRENT_QUERIES);
    const read = await Promise.all(some.map((query) => readOne(query, input, tools)));
    for (const [index, query] of some.entries()) answers.set(query, read[index] ?? { why: 'not asked' });
  }
  return answers;
}

async function readOne({ query, provider }: RiskQuery, input: TaskInput, tools: TaskTools): Promise<Answer> {
  const source = tools.metricsSource(provider);
  if (!source)
    return {
      why: provider === undefined ? 'no metrics source is configured' : `there is no metrics source ${provider}`,
    };
  const period = { start: new Date(input.now.getTime() - PERIOD_MS).toISOString(), end: input.now.toISOString() };
  try {
    const variables = variablesOf(input, undefined, period);
    const reading = await source.read({ query, variables, ...period }, { signal: input.signal });
    return reading.ok ? { value: reading.value } : { why: reading.message };
  } catch (error) {
    if (error instanceof AdapterError && error.reason !== 'cancelled') return { why: error.message };
    throw error;
  }
}

function limitsOf({ name, above, below, deny }: RiskProbe): Probe {
  return {
    name,
    ...(above === undefined ? {} : { above }),
    ...(below === undefined ? {} : { below }),
    ...(deny === undefined ? {} : { deny }),
  };
}

function firstUnknown(
  key: 'dependencies' | 'infrastructure',
  probes: readonly RiskProbe[],
  answers: ReadonlyMap<RiskQuery, Answer>,
): RiskSignals['unknown'] {
  const missing = probes.find((probe) => 'why' in (answers.get(probe) ?? {}));
  const answer = missing && answers.get(missing);
  return missing && answer && 'why' in answer ? { [key]: `${missing.name}: ${answer.why}` } : {};
}

function whyUnknown(key: 'alerts', answer: Answer | undefined): RiskSignals['unknown'] {
  return answer && 'why' in answer ? { [key]: answer.why } : {};
}
