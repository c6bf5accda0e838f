import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'express';
import { expect } from 'vitest';
import type { ChangeFacts } from '../../src/answers/change-facts.ts';
import type { Viewer } from '../../src/answers/viewer.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Permission } from '../../src/base/rights.ts';
import { guards } from '../../src/http/access.ts';
import type { Holder } from '../../src/http/authentication.ts';
import { compressed } from '../../src/http/compressed.ts';
import { rowDrawer } from '../../src/http/live/draw-row.ts';
import { readListQuery } from '../../src/http/live/list-query.ts';
import { livePages } from '../../src/http/live/pages.ts';
import { liveRoutes } from '../../src/http/live/routes.ts';
import { assetRoutes } from '../../src/http/pages/assets.ts';
import { changesPageRoutes } from '../../src/http/pages/changes.ts';
import { createFrameOf } from '../../src/http/pages/frame.ts';
import { createHttpApp, createHttpServer } from '../../src/http/server.ts';
import { createChangeBoard } from '../../src/runtime/change-board.ts';
import { changeRecord } from '../../src/runtime/change-record.ts';
import { createLive, type Live } from '../../src/runtime/live.ts';
import { createLiveSource } from '../../src/runtime/live-source.ts';
import type { DrawRow, LiveSource } from '../../src/runtime/live-types.ts';
import { createLog } from '../../src/runtime/log.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { goldenFacts } from './change-rows.ts';
import { type EventReader, readEvents } from './event-stream.ts';

export interface LiveWorldOptions {
  databaseUrl?: string;
  coalesceMs?: number;
  lookEveryMs?: number;
  heartbeatMs?: number;
  /** Does not wait until it knows where the log ends. */
  early?: boolean;
  maxReaders?: number;
  draw?: (draw: DrawRow) => DrawRow;
  source?: (source: LiveSource) => LiveSource;
}

/** One replica that keeps pages up to date, over a real store and a real server. */
export interface LiveWorld {
  url: string;
  store: Store;
  live: Live;
  /** Writes changes as the projection would. */
  write(...facts: readonly ChangeFacts[]): Promise<void>;
  read(topic: string, options?: { since?: string; headers?: Record<string, string> }): Promise<EventReader>;
  /** How many event streams are open, and were opened in all. */
  streams: { open: number; opened: number };
  /** As the process does when it is told to. */
  shutDown(): void;
  /** Nobody answers any more, as if the machine were gone. */
  vanish(): Promise<void>;
  comeBack(port: number): Promise<void>;
  stop(): Promise<void>;
}

/** Who reads, by what they send as `X-Reader`; taken out, they are signed out. */
export const readers = new Map<string, Viewer>();

const authentication = {
  require: (permission: Permission) =>
    guards(permission, (request, response, next) => {
      response.locals['reader'] = request.get('X-Reader');
      next();
    }),
  viewer: (response: Response) => readers.get(String(response.locals['reader'])),
  holder: (response: Response) => ({ id: String(response.locals['reader']) }) as Holder,
  csrf: () => undefined,
};

export async function startLiveWorld(options: LiveWorldOptions = {}): Promise<LiveWorld> {
  const dataDir = mkdtempSync(join(tmpdir(), 'lynceus-live-'));
  const { databaseUrl } = options;
  const store = await openStore({ dataDir, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
  const clock = systemClock;
  const stopping = new AbortController();
  const board = createChangeBoard({ store, clock });
  const source = createLiveSource({ store, board, clock, readQuery: readListQuery });
  const draw = rowDrawer(clock);
  const lines: string[] = [];
  const log = createLog({ level: 'info', secrets: [], stream: { write: (line) => void lines.push(line) } });
  const live = createLive({
    source: options.source?.(source) ?? source,
    clock,
    log,
    draw: options.draw?.(draw) ?? draw,
    ...(options.coalesceMs === undefined ? {} : { coalesceMs: options.coalesceMs }),
    ...(options.lookEveryMs === undefined ? {} : { lookEveryMs: options.lookEveryMs }),
  });
  const forPages = livePages({ live, authentication, clock });
  const frameOf = createFrameOf({ clock, authentication });
  const routers = [
    compressed(),
    liveRoutes({
      live,
      authentication,
      stopping: stopping.signal,
      trustedProxies: 1,
      ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
      ...(options.maxReaders === undefined ? {} : { maxReaders: options.maxReaders }),
    }),
    assetRoutes(),
    changesPageRoutes({ board, line: { stops: async () => [] }, authentication: forPages, frameOf }),
  ];
  const server = createHttpServer(createHttpApp(routers, log));
  const streams = { open: 0, opened: 0 };
  while (!options.early && live.position() === '0.00000000.0') await sleep(5);
  server.on('request', (request, response) => {
    if (!request.url?.startsWith('/events')) return;
    streams.open++;
    streams.opened++;
    response.once('close', () => {
      streams.open--;
    });
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    url,
    store,
    live,
    streams,
    async write(...facts) {
      await store.commit({ changes: facts.map((one) => changeRecord(one, [])) });
    },
    read(topic, { since, headers = {} } = {}) {
      const query = new URLSearchParams({ topics: topic, ...(since === undefined ? {} : { since }) });
      return readEvents(`${url}/events?${query}`, headers);
    },
    shutDown: () => stopping.abort(),
    vanish: close,
    comeBack: listen,
    async stop() {
      stopping.abort();
      live.close();
      await close();
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
      expect(lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    },
  };
}

let made = 0;

/** A change that waits for approval, of its own service. */
export function waiting(rest: Partial<ChangeFacts> = {}): ChangeFacts {
  const id = rest.id ?? `change-${++made}`;
  const now = new Date().toISOString();
  return { ...goldenFacts.approval, id, service: id, rev: 1, createdAt: now, movedAt: now, ...rest };
}
