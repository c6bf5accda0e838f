import { AdapterError } from '../../base/adapter-error.ts';
import type { QueryVariables } from './metrics-source.ts';
import { fillPlaceholders, type QueryLanguage } from './placeholders.ts';

/** Metric, entity, problem and management zone selectors escape by a tilde. */
export const SELECTOR: QueryLanguage = {
  quotes: [{ open: '"', close: '"', escape: '~', fill: inQuotes }],
  patternOperators: ['tag('],
};
/** Up to an ampersand that stands outside of quotes. */
const PARAMETER = /((?:[^&"]|"(?:~[\s\S]|[^"~])*")+)(?:&|$)/y;
const METRIC_PARAMETERS = ['metricSelector', 'entitySelector', 'mzSelector', 'resolution'];

/** What a query asks for; parameters are as the API names them. */
export type DynatraceQuestion =
  | { asks: 'metric'; parameters: Record<string, string>; factor: number }
  | { asks: 'slo'; id: string }
  | { asks: 'problems' | 'securityProblems'; parameters: Record<string, string> };

/**
 * Reads a query as Keptn's dynatrace-service writes it: `metricSelector=...&entitySelector=...`, a metric
 * selector alone, `MV2;<unit>;...` (microseconds become milliseconds, bytes become kilobytes of 1024),
 * `SLO;<id>`, `PV2;problemSelector=...`, `SECPV2;securityProblemSelector=...`.
 *
 * @throws {AdapterError} `rejected` when it is none of them, or a value cannot stand in it
 */
export function toQuestion(text: string, variables: QueryVariables): DynatraceQuestion {
  const [, prefix = '', rest = ''] = /^\s*([A-Z][A-Z0-9]*);([\s\S]*)$/.exec(text) ?? [];
  switch (prefix) {
    case '':
      return { asks: 'metric', parameters: metricParameters(text, variables), factor: 1 };
    case 'MV2':
      return metricWithUnit(rest, variables);
    case 'SLO':
      return { asks: 'slo', id: sloId(rest, variables) };
    case 'PV2':
      return { asks: 'problems', parameters: parametersOf(rest, variables, ['problemSelector', 'entitySelector']) };
    case 'SECPV2':
      return { asks: 'securityProblems', parameters: parametersOf(rest, variables, ['securityProblemSelector']) };
    default:
      throw new AdapterError('rejected', `"${prefix};" is no kind of query here: take MV2, SLO, PV2 or SECPV2`);
  }
}

function metricWithUnit(text: string, variables: QueryVariables): DynatraceQuestion {
  const [, unit = '', rest = ''] = /^([A-Za-z]+);([\s\S]*)$/.exec(text) ?? [];
  if (unit === '')
    throw new AdapterError('rejected', 'write MV2;<unit>;metricSelector=..., with a unit like MicroSecond');
  const scale: Record<string, number> = { microsecond: 1 / 1000, byte: 1 / 1024 };
  return { asks: 'metric', parameters: metricParameters(rest, variables), factor: scale[unit.toLowerCase()] ?? 1 };
}

function metricParameters(text: string, variables: QueryVariables): Record<string, string> {
  const named = METRIC_PARAMETERS.some((name) => text.trimStart().startsWith(`${name}=`));
  const parameters = parametersOf(named ? text : `metricSelector=${text.trim()}`, variables, METRIC_PARAMETERS);
  if (!parameters['metricSelector']) throw new AdapterError('rejected', 'the query has no metricSelector=...');
  return parameters;
}

/** Taken apart before values are put in: no value can add a parameter. */
function parametersOf(text: string, variables: QueryVariables, known: readonly string[]): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const part of partsOf(text.trim())) {
    const [, name = '', value = ''] = /^([A-Za-z]+)=([\s\S]*)$/.exec(part) ?? [];
    if (!known.includes(name)) {
      throw new AdapterError('rejected', `"${part.slice(0, 60)}" is no parameter here: known are ${known.join(', ')}`);
    }
    if (name in parameters) throw new AdapterError('rejected', `the query names ${name} twice`);
    parameters[name] = fillPlaceholders(value, variables, SELECTOR);
  }
  return parameters;
}

function partsOf(text: string): string[] {
  const parts: string[] = [];
  PARAMETER.lastIndex = 0;
  while (PARAMETER.lastIndex < text.length) {
    const part = PARAMETER.exec(text)?.[1];
    if (part === undefined)
      throw new AdapterError('rejected', 'the query has a quote that does not end, or an empty parameter');
    parts.push(part);
  }
  return parts;
}

function sloId(text: string, variables: QueryVariables): string {
  const id = fillPlaceholders(text.trim(), variables, SELECTOR);
  if (/^[A-Za-z0-9-]+$/.test(id)) return id;
  throw new AdapterError('rejected', 'write SLO;<id>, with the id of the SLO in Dynatrace');
}

/** In `tag("[context]key:value")` a colon and brackets are syntax, and how to escape all of them is not documented. */
function inQuotes(value: string, operator: string | undefined): string | undefined {
  if (operator !== undefined && /[\\:[\]]/.test(value)) return undefined;
  return value.replace(/["~]/g, '~$&');
}
