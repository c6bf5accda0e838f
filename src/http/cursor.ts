import { Refusal } from './problem.ts';

/** @throws {Refusal} it is not one that a page gave */
export function parseCursor(cursor: string): { sort: number; id: string } {
  const [, sort, id] = /^(\d{1,15})~(.{1,200})$/.exec(cursor) ?? [];
  if (sort === undefined || id === undefined)
    throw new Refusal(400, 'invalid-request', 'cursor: take it as it is from "next" of the page before');
  return { sort: Number(sort), id };
}
