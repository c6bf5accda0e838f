import type { BoardQuery } from '../../runtime/board-query.ts';
import { positionIn } from '../../runtime/change-board.ts';
import { readFilter } from '../../ui/pages/changes-filter.ts';

const MAX_PAGE = 200;

/** What a list was asked, out of the query string that stands in its topic; what it does not know it leaves alone. */
export function readListQuery(text: string): BoardQuery {
  const query: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) query[name] = [...(query[name] ?? []), value];
  const cursor = query['cursor']?.find(isPosition);
  const limit = Number(query['limit']?.[0]);
  return {
    ...readFilter(query),
    ...(cursor === undefined ? {} : { cursor }),
    ...(Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE ? { limit } : {}),
  };
}

function isPosition(cursor: string): boolean {
  try {
    return positionIn(cursor) !== undefined;
  } catch {
    return false;
  }
}
