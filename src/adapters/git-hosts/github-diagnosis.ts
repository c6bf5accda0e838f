import { AdapterError } from '../../base/adapter-error.ts';
import type { Finding } from '../../events/finding.ts';
import { failed } from '../failed-connection.ts';
import type { CallOptions } from './git-host.ts';
import { type GitHubApi, type GitHubConnection, TOKEN_EXPIRY } from './github-api.ts';

const SOON_MS = 14 * 86_400_000;
/** Below this share of the hourly requests, a busy hour runs out of them. */
const LOW_SHARE = 0.1;
/** A GitHub Enterprise that counts nothing. */
const UNLIMITED = /rate limiting is not enabled/i;
const RENEW = 'make a new token with the rights of docs/git-hosts.md';
const GRANT = 'give the GitHub App the rights of docs/git-hosts.md, and accept them where it is installed';
/** Without these nothing is promoted. */
const NEEDED = ['contents', 'pull_requests'];
/** Without these less is. */
const USEFUL = { statuses: 'commits are not marked', members: 'nobody approves as a member of a team' };

/** Whether GitHub answers, takes what we log in with, for how long, and how many requests are left. Costs none of them. */
export async function diagnoseGitHub(
  { rest: api, credentials }: GitHubConnection,
  options: CallOptions,
  now: Date,
): Promise<Finding[]> {
  if (credentials === 'token') return diagnoseToken(api, options, now);
  try {
    const { data } = await api(options, (octokit, bound) => octokit.rest.apps.getAuthenticated({ ...bound }), {
      app: true,
    });
    return rightsOf((data?.permissions ?? {}) as Readonly<Record<string, string>>);
  } catch (error) {
    const remedy = 'take id and private key from the settings of the GitHub App';
    return [failed('app', error, { unauthenticated: remedy, forbidden: remedy, 'not-found': remedy })];
  }
}

function rightsOf(granted: Readonly<Record<string, string>>): Finding[] {
  const missing = NEEDED.filter((right) => granted[right] !== 'write');
  if (missing.length > 0) {
    const sentence = `the GitHub App may not write ${missing.join(' and ').replace('_', ' ')}`;
    return [{ level: 'problem', check: 'app', sentence, remedy: GRANT }];
  }
  const less = Object.entries(USEFUL).filter(([right]) => granted[right] === undefined);
  return [
    { level: 'ok', check: 'app', sentence: 'GitHub knows the App, and it may write contents and pull requests' },
    ...less.map(([right, consequence]): Finding => {
      const sentence = `the GitHub App has no right to ${right}: ${consequence}`;
      return { level: 'warning', check: 'app', sentence, remedy: GRANT };
    }),
  ];
}

async function diagnoseToken(api: GitHubApi, options: CallOptions, now: Date): Promise<Finding[]> {
  try {
    const { data, headers } = await api(options, (octokit, bound) => octokit.rest.rateLimit.get({ ...bound }));
    const { limit, remaining } = data.resources.core;
    const sentence = `GitHub takes the token, ${remaining} of ${limit} requests are left this hour`;
    return [
      { level: 'ok', check: 'token', sentence },
      ...expiryOf((headers as Readonly<Record<string, unknown>>)[TOKEN_EXPIRY], now),
      ...(remaining < limit * LOW_SHARE ? [fewLeft(remaining, limit)] : []),
    ];
  } catch (error) {
    if (error instanceof AdapterError && UNLIMITED.test(error.message)) {
      return [{ level: 'ok', check: 'token', sentence: 'GitHub takes the token, and limits no requests' }];
    }
    return [failed('token', error, { unauthenticated: RENEW, forbidden: RENEW })];
  }
}

function fewLeft(remaining: number, limit: number): Finding {
  const sentence = `only ${remaining} of ${limit} requests are left this hour`;
  return { level: 'warning', check: 'rate-limit', sentence, remedy: 'give Lynceus a token of its own' };
}

/** GitHub writes `2026-12-01 10:00:00 UTC`, or a zone as a number. */
function expiryOf(header: unknown, now: Date): Finding[] {
  const at = Date.parse(String(header ?? ''));
  if (Number.isNaN(at) || at - now.getTime() > SOON_MS) return [];
  const sentence = `the token expires on ${new Date(at).toISOString().slice(0, 10)}`;
  return [{ level: 'warning', check: 'token-expiry', sentence, remedy: RENEW }];
}
