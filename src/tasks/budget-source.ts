import type { MetricsSource } from '../adapters/metrics/metrics-source.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { BudgetObjective } from '../slo/budget-objective.ts';
import type { BudgetQuery } from '../slo/budget-queries.ts';
import type { BudgetReading } from '../slo/budget-readings.ts';

/** Asks one question of a budget; an outage is an answer too. */
export type AskBudget = (query: BudgetQuery, source: BudgetObjective['source']) => Promise<BudgetReading>;

export interface BudgetSources {
  /** Without a name: the only source, or the first. */
  metricsSource(name?: string): MetricsSource | undefined;
  /** The policy's own choice, before what OpenSLO says. */
  provider?: string;
  /** Of the service, for placeholders in queries. */
  variables(period: { start: string; end: string }): Record<string, string>;
  signal?: AbortSignal;
}

const PROMQL_KINDS = ['prometheus', 'google-cloud-monitoring'];

/** @throws {AdapterError} by the answer only when we gave up ourselves (`cancelled`) */
export function askOf(sources: BudgetSources): AskBudget {
  return async (query, meant) => {
    const { name } = query;
    const found = findSource(sources, meant);
    if (typeof found === 'string') return { name, ok: false, message: found };
    if (query.promql && !PROMQL_KINDS.includes(found.kind))
      return {
        name,
        ok: false,
        message: `it is computed in PromQL, which ${found.name} (${found.kind}) does not speak`,
      };
    return read(found, query, sources);
  };
}

async function read(
  source: MetricsSource,
  { name, query, variables, start, end }: BudgetQuery,
  { variables: variablesOf, signal }: BudgetSources,
): Promise<BudgetReading> {
  const filled = { ...variablesOf({ start, end }), ...variables };
  try {
    const reading = await source.read({ query, variables: filled, start, end }, signal ? { signal } : {});
    return reading.ok ? { name, ok: true, value: reading.value } : { name, ok: false, message: reading.message };
  } catch (error) {
    if (error instanceof AdapterError && error.reason !== 'cancelled')
      return { name, ok: false, message: error.message };
    throw error;
  }
}

/** The source, or why there is none. */
function findSource(
  { metricsSource, provider }: BudgetSources,
  meant: BudgetObjective['source'],
): MetricsSource | string {
  const wanted = provider ?? meant?.name;
  const named = metricsSource(wanted);
  if (wanted !== undefined) return named ?? `the metrics source ${wanted} is not configured`;
  if (named === undefined) return 'no metrics source is configured';
  const { type } = meant ?? {};
  if (type === undefined || sameKind(type, named.kind)) return named;
  const byType = metricsSource(type.toLowerCase());
  return byType ?? `no metrics source of type "${type.slice(0, 60)}" is known: name one with "provider"`;
}

/** `CloudWatch`, `cloud-watch` and `cloudwatch` are one. */
function sameKind(type: string, kind: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  return plain(type) === plain(kind);
}
