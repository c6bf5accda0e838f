import type { Request } from 'express';

const MAX_CHARS = 500;

/** What an address asks for under a name: the first value, where there are several; nothing where it is empty. */
export function textIn({ query }: Request, name: string): string | undefined {
  return textsIn({ query }, name)[0];
}

/** All values of a name that may be repeated. */
export function textsIn({ query }: Pick<Request, 'query'>, name: string): string[] {
  const value = query[name];
  const all = Array.isArray(value) ? value : [value];
  return all.filter((one) => typeof one === 'string' && one !== '').map((one) => String(one).slice(0, MAX_CHARS));
}

/** One of these; the first of them for anything else. */
export function oneOf<T extends string>(value: string | undefined, allowed: readonly [T, ...T[]]): T {
  return allowed.find((one) => one === value) ?? allowed[0];
}

/** A place in a list as `sort~id`; anything else is no place. */
export function positionIn(text: string | undefined): { sort: number; id: string } | undefined {
  const [, sort, id] = /^(\d{1,16})~(.+)$/s.exec(text ?? '') ?? [];
  return sort === undefined || id === undefined ? undefined : { sort: Number(sort), id };
}
