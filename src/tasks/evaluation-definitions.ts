import type { EvaluationPolicy } from '../definitions/delivery.ts';
import type { Parsed } from '../definitions/problem.ts';
import { parseSli } from '../definitions/sli-yaml.ts';
import { parseSlo } from '../definitions/slo-yaml.ts';
import type { Slo } from '../slo/evaluation.ts';
import { type Indicator, indicatorOfQuery } from '../slo/indicator.ts';

/** What is judged, and where its numbers come from. */
export interface Definitions {
  slo: Slo;
  /** A bare query stands for an indicator with this one source; older logs have only those. */
  sli: Record<string, string | Indicator>;
}

type Policy = Pick<EvaluationPolicy, 'compatibility' | 'compareWith'>;

/** Definitions as texts of slo.yaml and sli.yaml, for those who have no repository. Never throws. */
export function parseDefinitions(slo: string, sli: string | undefined, policy: Policy): Parsed<Definitions> {
  const parsedSlo = parseSlo(slo, 'slo', policy.compatibility);
  const parsedSli = sli === undefined ? ({ ok: true, value: {} } as const) : parseSli(sli, 'sli');
  const problems = [parsedSlo, parsedSli].flatMap((parsed) => (parsed.ok ? [] : parsed.problems));
  if (!parsedSlo.ok || !parsedSli.ok) return { ok: false, problems };
  return withControl({ slo: parsedSlo.value, sli: parsedSli.value }, policy, 'slo');
}

/** Refuses objectives with a control group that nobody has named. */
export function withControl(definitions: Definitions, { compareWith }: Policy, file: string): Parsed<Definitions> {
  const lonely = definitions.slo.objectives.findIndex(({ control }) => control !== undefined);
  if (lonely < 0 || (compareWith && 'control' in compareWith)) return { ok: true, value: definitions };
  const path = `objectives[${lonely}].control`;
  const message = 'compares with a control group, but "compareWith" of the evaluation does not say which it is';
  return { ok: false, problems: [{ file, line: 1, column: 1, path, message }] };
}

/** An indicator of the definitions, if they have it. */
export function indicatorOf({ sli }: Definitions, name: string): Indicator | undefined {
  const found = Object.hasOwn(sli, name) ? sli[name] : undefined;
  return typeof found === 'string' ? indicatorOfQuery(found) : found;
}
