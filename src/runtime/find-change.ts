import { readPullRequestUrl } from '../events/pull-request-url.ts';
import type { KeyFilter } from '../store/changes.ts';

/** Of what people type or paste into the search box. */
const MAX_TOKENS = 8;
const HEX = /^[0-9a-f]{4,64}$/;
const NUMBER = /^(?:pr|mr)?[#!]?(\d{1,12})$/;
/** Words that only say what the number behind them is. */
const FILLERS: ReadonlySet<string> = new Set(['pr', 'mr', '#', '!']);

/** As pull request numbers stand in the index: the dot keeps 412 from being the beginning of 4120. */
export function numberKey(number: string | number): string {
  return `#${number}.`;
}

/**
 * What a search asks the index: every word must be found, as the beginning of a commit (at least 4 digits), a digest, a
 * version, a service or a word of the title or author, or as the number or address of a pull request.
 */
export function searchKeys(q: string): KeyFilter[] {
  const tokens = q
    .trim()
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((token) => token !== '' && !FILLERS.has(token));
  return tokens.slice(0, MAX_TOKENS).map(keyFilter);
}

function keyFilter(token: string): KeyFilter {
  const pullRequest = readPullRequestUrl(token);
  if (pullRequest) return { names: ['pr'], values: [pullRequest.key] };
  const commit = /^https?:\/\/.*\/([0-9a-f]{7,64})(?:[/?#]|$)/.exec(token)?.[1];
  if (commit !== undefined) return { names: ['commit'], values: [commit], prefix: true };
  const digest = /(?:^|@)(sha256:[0-9a-f]{4,64})$/.exec(token)?.[1];
  if (digest !== undefined) return { names: ['digest'], values: [digest], prefix: true };
  const number = NUMBER.exec(token)?.[1];
  return {
    names: [
      'word',
      'version',
      'service',
      ...(HEX.test(token) ? ['commit', 'digest'] : []),
      ...(number ? ['number'] : []),
    ],
    values: [
      token,
      ...(HEX.test(token) ? [`sha256:${token}`] : []),
      // People say v1.8.2 and 1.8.2 of the same version.
      ...(/^v\d/.test(token) ? [token.slice(1)] : /^\d+\./.test(token) ? [`v${token}`] : []),
      ...(number ? [numberKey(number)] : []),
    ],
    prefix: true,
    // Words of titles recur; numbers, versions and commits hardly.
    ...(/\d/.test(token) ? {} : { often: true }),
  };
}
