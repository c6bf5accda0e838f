import type { Request } from 'express';
import { wholeNumber } from './whole-number.ts';

export interface PlaceQuery {
  project?: string;
  stage?: string;
  service?: string;
  limit?: number;
  cursor?: string;
}

const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;

/** The filters of a list, as the address has them. */
export function parseQuery(request: Request): PlaceQuery {
  const query: PlaceQuery = { limit: wholeNumber(request.query['limit'], 'limit', DEFAULT_PAGE, 1, MAX_PAGE) };
  for (const name of ['project', 'stage', 'service', 'cursor'] as const) {
    const value = request.query[name];
    if (typeof value === 'string' && value !== '') query[name] = value;
  }
  return query;
}
