import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeRow } from '../../src/answers/answer.ts';
import type { ChangeFacts } from '../../src/answers/change-facts.ts';
import { showChange } from '../../src/cli/change-show.ts';
import { changes } from '../../src/cli/changes-list.ts';
import type { ListOptions } from '../../src/cli/changes-options.ts';
import type { Terminal } from '../../src/cli/command.ts';
import { ago, GOLDEN_NOW, goldenFacts } from '../support/change-rows.ts';
import { lynceus } from '../support/cli.ts';

/** What the service answers next, and what it was asked. */
let facts: ChangeFacts[];
let broken: boolean;
let asked: string[];
let server: Server;

const rowOf = (one: ChangeFacts) => changeRow(one, { now: GOLDEN_NOW });

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(decodeURIComponent(request.url ?? ''));
    response.setHeader('Content-Type', 'application/json');
    if (broken) {
      response.writeHead(503).end(JSON.stringify({ detail: 'the store does not answer' }));
      return;
    }
    const rows = facts.map(rowOf);
    const [row] = rows;
    const steps = [
      { key: 'build', state: 'passed', attempt: 1, startedAt: ago(48), endedAt: ago(42), human: false, links: [] },
      {
        stage: 'production',
        key: 'approval',
        state: 'waiting',
        attempt: 2,
        startedAt: ago(23),
        human: true,
        links: [],
      },
      { stage: 'production', key: 'sync', state: 'idle', attempt: 1, human: false, links: [] },
    ];
    const one = { id: row?.id, service: 'checkout', summary: 's', stages: [], row, steps };
    const list = { rows, total: rows.length === 1 ? 1 : 212, facets: {}, asOf: GOLDEN_NOW };
    response.end(JSON.stringify(/\/changes\//.test(request.url ?? '') ? one : list));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  facts = [goldenFacts.approval, goldenFacts.gate];
  broken = false;
  asked = [];
});

const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

interface Seen {
  terminal: Terminal;
  printed: string[];
  complained: string[];
  end(): void;
}

function terminalOf(changes_: Partial<Terminal> = {}, onPrint: (seen: Seen) => unknown = () => {}): Seen {
  const stop = new AbortController();
  const seen: Seen = {
    printed: [],
    complained: [],
    end: () => stop.abort(),
    terminal: {
      env: {},
      sources: { env: {}, readFile: () => '' },
      out: (text) => {
        seen.printed.push(text);
        onPrint(seen);
      },
      err: (text) => void seen.complained.push(text),
      stop: stop.signal,
      columns: 120,
      die: () => {
        throw new Error('died');
      },
      ...changes_,
    },
  };
  return seen;
}

const list = (seen: Seen, options: Partial<ListOptions> = {}) =>
  changes(seen.terminal, { server: address(), output: 'text', ...options }, 1);

describe('lynceus changes', () => {
  it('gives the five answers of each in two lines that fit the terminal', async () => {
    const seen = terminalOf();
    expect(await list(seen)).toBe(0);
    expect(seen.printed.join('\n').split('\n')).toEqual([
      'CHANGE    SERVICE         STATE    WHERE                      TIME                         ODDS',
      'b7c41d09  checkout 1.8.2  waiting  dev✓ staging✓ production‖  23 min, then no history yet',
      '          Approval: gate warned (82, needs 90) → payments-approvers approve',
      'b7c41d09  checkout 1.8.2  failed   dev✓ staging✗ production·  8 min                        0 %',
      '          SLO gate failed: response_time_p95 612 ms > 500 ms → @ada fixes; operators roll back; sre override',
      '210 more match: narrow them down.',
    ]);
  });

  it.each([40, 80, 120])('is not wider than %i columns', async (columns) => {
    facts = Object.values(goldenFacts);
    const seen = terminalOf({ columns });
    await list(seen);
    for (const line of seen.printed.join('\n').split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('cuts nothing when it may be wide, and tells team, author, commit and title', async () => {
    const seen = terminalOf({ columns: 40 });
    await list(seen, { output: 'wide' });
    expect(seen.printed[0]).toContain('payments  ada     a1b2c3d4  Retry card timeouts once');
  });

  it('sends every filter on', async () => {
    await list(terminalOf(), {
      mine: true,
      needsMe: true,
      state: ['waiting', 'failed'],
      stage: ['production'],
      team: ['payments'],
      author: ['ada'],
      since: '7d',
      q: 'a1b2c3d',
    });
    const query = new URLSearchParams(asked[0]?.split('?')[1]);
    expect([...query]).toEqual([
      ['limit', '200'],
      ['mine', '1'],
      ['needs', 'me'],
      ['state', 'waiting'],
      ['state', 'failed'],
      ['stage', 'production'],
      ['team', 'payments'],
      ['author', 'ada'],
      ['since', '7d'],
      ['q', 'a1b2c3d'],
    ]);
  });

  it('says when nothing matches, and fails when nobody answers', async () => {
    facts = [];
    const seen = terminalOf();
    expect(await list(seen)).toBe(0);
    expect(seen.printed).toEqual(['No change matches.']);
    broken = true;
    expect(await list(seen)).toBe(1);
    expect(seen.complained).toEqual([`${address()} answered 503: the store does not answer`]);
  });

  it('lets nobody steer the terminal', async () => {
    facts = [{ ...goldenFacts.approval, service: 'a\u001b[2Jb', title: '\u202eevil', version: '1\u00072' }];
    const seen = terminalOf();
    await list(seen, { output: 'wide' });
    expect(seen.printed.join('').replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe('lynceus changes --watch', () => {
  it('draws over what it drew, within the window, and ends cleanly when it is stopped', async () => {
    const seen = terminalOf({ rows: 4 }, ({ end }) => end());
    expect(await list(seen, { watch: true })).toBe(0);
    const [drawn = ''] = seen.printed;
    expect(drawn.startsWith('\u001b[2J\u001b[H212 changes at 12:50 UTC. Ctrl-C ends.')).toBe(true);
    expect(drawn.split('\n')).toHaveLength(3);
    expect(drawn.endsWith('\u001b[J')).toBe(true);
    expect(seen.complained).toEqual([]);
  });

  it('prints no control characters where nobody looks, and ends with 0 when it is interrupted', async () => {
    const args = ['changes', '--watch'];
    const { code, out, err } = await lynceus(args, { LYNCEUS_SERVER: address() }, undefined, () => asked.length > 0);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).not.toContain('\u001b');
    expect(out.match(/^CHANGE/gm)).toHaveLength(1);
  });

  it('prints what is the same only once, and what is new with it', async () => {
    const seen = terminalOf({}, ({ printed, end }) => printed.length === 2 && end());
    const watching = list(seen, { watch: true });
    while (asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    facts = [goldenFacts.none];
    expect(await watching).toBe(0);
    expect(seen.printed.map((text) => text.match(/production/g)?.length)).toEqual([2, 2]);
    expect(seen.printed[1]).toContain('In production since 12:40 UTC');
  });

  it('keeps what it saw last in sight while the service does not answer, and says since when', async () => {
    const seen = terminalOf({ rows: 20 }, ({ printed, end }) => {
      broken = true;
      if (printed.length === 2) end();
    });
    expect(await list(seen, { watch: true })).toBe(0);
    expect(seen.printed[1]?.startsWith(`\u001b[HAs of 12:50 UTC. ${address()} answered 503: the store`)).toBe(true);
    expect(seen.printed[1]).toContain('Approval: gate warned');
  });

  it('fails at once where nobody answers from the beginning', async () => {
    broken = true;
    expect(await list(terminalOf({ rows: 20 }), { watch: true })).toBe(1);
  });
});

describe('lynceus change', () => {
  it('tells the five answers and the journey with its times', async () => {
    const seen = terminalOf({ columns: 100 });
    expect(await showChange(seen.terminal, { server: address(), output: 'text' }, 'some-longer-id')).toBe(0);
    const lines = (seen.printed[0] ?? '').split('\n');
    expect(lines.slice(0, 5)).toEqual([
      'checkout 1.8.2: Retry card timeouts once',
      'ada · payments · a1b2c3d4 · PR 412',
      'Where      waiting: dev✓ staging✓ production‖',
      'Waits for  Approval: gate warned (82, needs 90)',
      'Who        payments-approvers approve',
    ]);
    expect(lines.at(-4)).toMatch(/^BEGAN +STAGE +STEP +STATE +TOOK +WHAT$/);
    expect(lines.at(-3)).toMatch(/ build +passed +6 min$/);
    expect(lines.at(-2)).toMatch(/ production +approval \(2\) +waiting +.* so far, people$/);
    expect(lines.at(-1)).toMatch(/^ +production +sync +idle$/);
  });

  it('takes the id that the table shows', async () => {
    facts = [goldenFacts.approval];
    await showChange(terminalOf().terminal, { server: address(), output: 'json' }, 'b7c41d09');
    expect(asked).toEqual(['/api/v1/changes?limit=200', '/api/v1/changes/b7c41d09']);
  });
});
