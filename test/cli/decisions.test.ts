import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lynceus } from '../support/cli.ts';

const CHANGE = {
  id: 'c1',
  summary: 'staging: waiting',
  stages: [{ stage: 'staging', sequence: 's1', revision: 'a'.repeat(40), status: 'waiting', tasks: [], message: '' }],
};

let server: Server;
let asked: { line: string; body: unknown }[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    asked.push({ line: `${request.method} ${request.url}`, body: text === '' ? undefined : JSON.parse(text) });
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(CHANGE));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  asked = [];
});

const run = (...args: string[]) => {
  const { port } = server.address() as AddressInfo;
  return lynceus([...args, 'c1'], { LYNCEUS_SERVER: `http://127.0.0.1:${port}` });
};

describe('a decision from the command line', () => {
  it.each([
    ['reject', 'reject'],
    ['pause', 'pause'],
    ['hold', 'pause'],
    ['resume', 'resume'],
    ['abort', 'abort'],
    ['override', 'override'],
    ['retry', 'retry'],
    ['rollback', 'rollback'],
  ])('%s is sent as %s, with its reason and the commit that was shown', async (command, verdict) => {
    const { code, err } = await run(command, '--reason', 'I looked at it', '--stage', 'staging');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(asked.at(-1)).toMatchObject({
      line: 'POST /api/v1/changes/c1/decisions',
      body: { verdict, reason: 'I looked at it', stage: 'staging', revision: 'a'.repeat(40) },
    });
  });

  it('is none without a reason', async () => {
    const { code, err } = await run('hold');
    expect(code).toBe(64);
    expect(err).toContain('--reason');
    expect(asked).toEqual([]);
  });
});
