import { isJsonObject, type Json } from '../../base/json.ts';
import type { QueryVariables } from './metrics-source.ts';
import { fillText } from './placeholders.ts';

/**
 * Puts values into the texts of a JSON document after it was read, so that none can become anything
 * but text. `fillSpecial` says how a text below a certain member is filled, for texts that have a syntax
 * of their own.
 */
export function fillJson(
  template: Json,
  variables: QueryVariables,
  fillSpecial: (member: string) => ((text: string, variables: QueryVariables) => string) | undefined = () => undefined,
  fill: (text: string, variables: QueryVariables) => string = fillText,
): Json {
  if (typeof template === 'string') return fill(template, variables);
  if (Array.isArray(template)) return template.map((item) => fillJson(item, variables, fillSpecial, fill));
  if (!isJsonObject(template)) return template;
  return Object.fromEntries(
    Object.entries(template).map(([member, value]) => [
      member,
      fillJson(value, variables, fillSpecial, fillSpecial(member) ?? fill),
    ]),
  );
}
