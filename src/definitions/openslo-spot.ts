import { isJsonObject } from '../base/json.ts';
import type { Path, YamlDocument } from './read-yaml.ts';

/** A value of an OpenSLO file with its place, so that every refusal can say where. */
export interface Spot {
  document: YamlDocument;
  path: Path;
  value: unknown;
}

export type Report = (spot: Spot, message: string, key?: string) => void;

/** All objects of a file, by kind and name. */
export type FindObject = (kind: string, name: unknown) => Spot | undefined;

/** What is at a key (or index) of a value; its value is `undefined` when nothing is there. */
export function at(spot: Spot, ...keys: (string | number)[]): Spot {
  let { value } = spot;
  for (const key of keys) {
    value = Array.isArray(value) ? value[Number(key)] : isJsonObject(value) ? value[key] : undefined;
  }
  return { document: spot.document, path: [...spot.path, ...keys], value };
}

/** The entries of a list; none when it is no list. */
export function entries(spot: Spot): Spot[] {
  return Array.isArray(spot.value) ? spot.value.map((_, index) => at(spot, index)) : [];
}

/** Text with something in it. */
export function textAt(spot: Spot): string | undefined {
  return typeof spot.value === 'string' && spot.value.trim() !== '' ? spot.value.trim() : undefined;
}
