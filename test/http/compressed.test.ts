import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpWorld, startHttpWorld } from '../support/http-world.ts';
import { waitingForApproval } from '../support/journeys.ts';

describe('what people and programs read', () => {
  let world: HttpWorld;
  beforeAll(async () => {
    world = await startHttpWorld({ sequences: waitingForApproval('checkout') });
  });
  afterAll(() => world.stop());
  const packed = async (path: string, encoding: string) => {
    const answer = await world.get(path, { 'Accept-Encoding': encoding, Accept: 'text/html' });
    const body = await answer.text();
    return [answer.headers.get('content-encoding'), /checkout/.test(body)];
  };

  it('is packed for those who take that, and never for others', async () => {
    for (const path of ['/changes', '/changes/ctx-checkout', '/api/v1/changes/ctx-checkout']) {
      expect([path, ...(await packed(path, 'gzip'))]).toEqual([path, 'gzip', true]);
      expect([path, ...(await packed(path, 'identity'))]).toEqual([path, null, true]);
    }
  });

  it('is not packed where each line counts at once, or where little is said', async () => {
    const stop = new AbortController();
    const answer = await fetch(`${world.url}/events?topics=changes:`, {
      headers: { 'Accept-Encoding': 'gzip', Accept: 'text/event-stream' },
      signal: stop.signal,
    });
    expect([answer.status, answer.headers.get('content-encoding')]).toEqual([200, null]);
    stop.abort();
    expect((await world.get('/healthz', { 'Accept-Encoding': 'gzip' })).headers.get('content-encoding')).toBeNull();
  });
});
