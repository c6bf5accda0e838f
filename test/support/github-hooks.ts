import type { Answer, Call, Handlers } from './github-answers.ts';
import { notFound, ok } from './github-answers.ts';

export const HOOK_URL = 'https://lynceus.example/webhooks/github';
const REPOSITORY_ID = 7;

interface Delivery {
  id: number;
  guid: string;
  delivered_at: string;
  redelivery: boolean;
  status: string;
  status_code: number;
  event: string;
  action: string | null;
  repository_id: number;
  installation_id: number | null;
  duration: number;
}

/** Deliveries of webhooks, of the repository's own hook and of the App's. */
export function createHooks() {
  const deliveries: Delivery[] = [];

  function deliver(code: number, guid = `guid-${deliveries.length}`, redelivery = false, repository = REPOSITORY_ID) {
    deliveries.unshift({
      id: deliveries.length + 1,
      guid,
      delivered_at: new Date().toISOString(),
      redelivery,
      status: code === 200 ? 'OK' : 'failed to connect to host',
      status_code: code,
      event: 'pull_request_review',
      action: 'submitted',
      repository_id: repository,
      installation_id: null,
      duration: 0.1,
    });
  }

  function list({ query }: Call): Answer {
    const size = Number(query.get('per_page') ?? 30);
    const from = Number(query.get('cursor') ?? 0);
    const link = `<https://api.github.example/x?per_page=${size}&cursor=${from + size}>; rel="next"`;
    const more = deliveries.length > from + size;
    return { ...ok(deliveries.slice(from, from + size)), ...(more ? { headers: { link } } : {}) };
  }

  function again({ params }: Call): Answer {
    const found = deliveries.find(({ id }) => String(id) === params['delivery_id']);
    if (found === undefined) return { status: 422, body: { message: 'Delivery not found' } };
    deliver(200, found.guid, true, found.repository_id);
    return { status: 202, body: {} };
  }

  const handlers: Handlers = {
    'get /repos/{owner}/{repo}/hooks': () =>
      ok([
        { id: 1, name: 'web', active: true, config: { url: 'https://ci.example/hook' } },
        { id: 2, name: 'web', active: true, config: { url: HOOK_URL } },
      ]),
    'get /repos/{owner}/{repo}/hooks/{hook_id}/deliveries': (call) => (isOurs(call) ? list(call) : notFound()),
    'post /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts': (call) =>
      isOurs(call) ? again(call) : notFound(),
    'get /app/hook/deliveries': list,
    'post /app/hook/deliveries/{delivery_id}/attempts': again,
  };

  return {
    handlers,
    deliver,
    deliveries,
    repositoryId: REPOSITORY_ID,
    sentAgain: () => deliveries.filter(({ redelivery }) => redelivery).length,
  };
}

function isOurs({ params }: Call): boolean {
  return params['hook_id'] === '2';
}
