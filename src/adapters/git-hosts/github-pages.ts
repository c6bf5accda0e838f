import { AdapterError } from '../../base/adapter-error.ts';

export const PAGE_SIZE = 100;

/** The number of the last page as the `Link` header has it; absent when this is the last one. */
export function lastPage(link: string | undefined): number | undefined {
  return pageIn(link, 'last');
}

/** `cursor` of the next page; absent when there is none. */
export function nextCursor(link: string | undefined): string | undefined {
  return parameterIn(link, 'next', 'cursor');
}

/**
 * All of a list, page by page.
 *
 * @throws {AdapterError} `rejected` beyond `atMost` pages: what is cut off would not count
 */
export async function allPages<T>(
  what: string,
  atMost: number,
  read: (page: number) => Promise<readonly T[]>,
): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; page <= atMost; page += 1) {
    const found = await read(page);
    all.push(...found);
    if (found.length < PAGE_SIZE) return all;
  }
  throw new AdapterError('rejected', `there are ${atMost * PAGE_SIZE} ${what} or more: too many to read`);
}

function pageIn(link: string | undefined, relation: string): number | undefined {
  const page = Number(parameterIn(link, relation, 'page'));
  return Number.isSafeInteger(page) && page > 0 ? page : undefined;
}

function parameterIn(link: string | undefined, relation: string, name: string): string | undefined {
  for (const part of (link ?? '').split(',')) {
    const [, url, found] = /<([^>]+)>\s*;\s*rel="(\w+)"/.exec(part) ?? [];
    if (url !== undefined && found === relation && URL.canParse(url)) {
      return new URL(url).searchParams.get(name) ?? undefined;
    }
  }
  return undefined;
}
