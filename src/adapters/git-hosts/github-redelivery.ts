import { AdapterError } from '../../base/adapter-error.ts';
import type { CallOptions } from './git-host.ts';
import type { Coordinates, GitHubApi, GitHubConnection } from './github-api.ts';
import { nextCursor, PAGE_SIZE } from './github-pages.ts';

/** GitHub keeps deliveries for three days. */
const MAX_PAGES = 10;
/** What fails a third time fails for a reason that sending again does not mend. */
const MAX_ATTEMPTS = 3;
/** Of one call; the next one goes on. */
const MAX_REDELIVERED = 100;

interface Delivery {
  id: number;
  guid: string;
  delivered_at: string;
  status_code: number;
  repository_id: number | null;
}

/** Has GitHub send again what did not reach us: it does not do so by itself. */
export function createGitHubRedelivery({ rest: api, credentials }: GitHubConnection, hookUrl: string | undefined) {
  async function redeliver(at: Coordinates, since: Date, options?: CallOptions): Promise<number> {
    const failed = missed(await deliveriesSince(at, since, options)).slice(0, MAX_REDELIVERED);
    for (const { id } of failed) await again(at, id, options);
    return failed.length;
  }

  const hooks = new Map<string, number>();
  /** The one of the repository whose deliveries come to us. */
  async function hookOf(at: Coordinates, options?: CallOptions): Promise<number> {
    const key = `${at.owner}/${at.repo}`;
    const id = hooks.get(key) ?? (await findHook(api, at, hookUrl, options));
    hooks.set(key, id);
    return id;
  }

  async function deliveriesSince(at: Coordinates, since: Date, options?: CallOptions): Promise<Delivery[]> {
    const all: Delivery[] = [];
    const repository = credentials === 'app' ? await repositoryId(api, at, options) : undefined;
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { data, headers } = await pageOf(at, cursor, options);
      const recent = data.filter((one) => Date.parse(one.delivered_at) >= since.getTime());
      // The App's webhook is one for all its repositories.
      all.push(...recent.filter((one) => repository === undefined || one.repository_id === repository));
      cursor = nextCursor(headers.link);
      if (recent.length < data.length || cursor === undefined) break;
    }
    return all;
  }

  async function pageOf(at: Coordinates, cursor: string | undefined, options?: CallOptions) {
    const page = { per_page: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) };
    if (credentials === 'app') {
      return api(options, (octokit, bound) => octokit.rest.apps.listWebhookDeliveries({ ...page, ...bound }), {
        app: true,
      });
    }
    const id = await hookOf(at, options);
    return api(options, (octokit, bound) =>
      octokit.rest.repos.listWebhookDeliveries({ ...at, hook_id: id, ...page, ...bound }),
    );
  }

  async function again(at: Coordinates, delivery: number, options?: CallOptions): Promise<void> {
    if (credentials === 'app') {
      await api(
        options,
        (octokit, bound) => octokit.rest.apps.redeliverWebhookDelivery({ delivery_id: delivery, ...bound }),
        { app: true },
      );
      return;
    }
    const id = await hookOf(at, options);
    await api(options, (octokit, bound) =>
      octokit.rest.repos.redeliverWebhookDelivery({ ...at, hook_id: id, delivery_id: delivery, ...bound }),
    );
  }

  return redeliver;
}

/** The newest attempt of each message that never arrived; one that we refused would be refused again. */
function missed(deliveries: readonly Delivery[]): Delivery[] {
  const byMessage = Map.groupBy(deliveries, ({ guid }) => guid);
  return [...byMessage.values()].flatMap((attempts) => {
    const hopeless = attempts.length >= MAX_ATTEMPTS || attempts.some(({ status_code: code }) => isAnswer(code));
    const [newest] = attempts.toSorted((a, b) => b.id - a.id);
    return hopeless || newest === undefined ? [] : [newest];
  });
}

/** GitHub writes 0 where nobody answered. */
function isAnswer(code: number): boolean {
  return code >= 200 && code < 500 && code !== 408 && code !== 429;
}

async function findHook(
  api: GitHubApi,
  at: Coordinates,
  hookUrl: string | undefined,
  options?: CallOptions,
): Promise<number> {
  const { data } = await api(options, (octokit, bound) =>
    octokit.rest.repos.listWebhooks({ ...at, per_page: PAGE_SIZE, ...bound }),
  );
  const ours = data.find(({ config }) => config.url === hookUrl);
  if (ours !== undefined) return ours.id;
  throw new AdapterError('not-found', `no webhook of ${at.owner}/${at.repo} goes to ${hookUrl}`);
}

async function repositoryId(api: GitHubApi, at: Coordinates, options?: CallOptions): Promise<number> {
  const { data } = await api(options, (octokit, bound) => octokit.rest.repos.get({ ...at, ...bound }));
  return data.id;
}
