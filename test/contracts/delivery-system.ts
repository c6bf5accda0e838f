import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeliverySystem } from '../../src/adapters/delivery-systems/delivery-system.ts';
import { AdapterError, type FailureReason } from '../../src/base/adapter-error.ts';
import type { Application, ApplicationRef } from '../../src/events/application.ts';

/** A delivery system with one manual application, and the hands to move and to hurt it. */
export interface DeliverySystemWorld {
  system: DeliverySystem;
  /** The same system, with a limit of about 200 ms for a request. */
  impatient: DeliverySystem;
  /** One whose address nobody listens on. */
  unreachable: DeliverySystem;
  secret: string;
  /** Whether it tells who made a revision; default true. */
  knowsAuthors?: boolean;
  application: Pick<ApplicationRef, 'namespace' | 'name' | 'systemProject'>;
  /** Moves the application's branch; answers the commit. */
  commit(): Promise<string>;
  /** The next request is answered with this, whatever it asks. */
  answerNext(status: number, contentType: string, text: string): void;
  /** The next answer repeats the request's credentials in an error. */
  echoNext(): void;
  hangNext(): void;
  resetNext(): void;
  /** Requests that changed (or tried to change) something. */
  changes(): number;
  close(): Promise<void>;
}

const NOBODY = 'nobody-of-this-name';

/** What every adapter behind the port DeliverySystem keeps. */
export function deliverySystemContract(kind: string, createWorld: () => Promise<DeliverySystemWorld>): void {
  describe(`${kind} as a delivery system`, () => {
    let world: DeliverySystemWorld;
    let application: Application;

    beforeEach(async () => {
      world = await createWorld();
      application = await world.system.read(world.application);
    });
    afterEach(() => world.close());

    it('lists the applications that carry our labels', async () => {
      const [only, ...others] = await world.system.list();
      expect(others).toEqual([]);
      expect(only?.ref).toEqual(application.ref);
      expect(only?.place).toBeDefined();
    });

    it('sees where the branch has moved when asked to look again', async () => {
      const revision = await world.commit();
      const seen = await world.system.read(world.application, { refresh: true });
      expect(seen).toMatchObject({ targetRevision: revision, syncStatus: 'OutOfSync' });
    });

    it('syncs exactly the asked revision and gives back what was sent along', async () => {
      const gated = await world.commit();
      await world.commit();
      await world.system.sync(application.ref, {
        revision: gated,
        prune: true,
        infos: { context: 'c-1', task: 't-1' },
      });
      const ended = await untilEnded(world);
      expect(ended.operation).toMatchObject({
        phase: 'Succeeded',
        revision: gated,
        infos: { context: 'c-1', task: 't-1' },
        dryRun: false,
        partial: false,
        automated: false,
      });
      expect(ended.history.at(-1)?.revision).toBe(gated);
    });

    it('shows a sync that was asked for before it is picked up, or at work', async () => {
      const revision = await world.commit();
      await world.system.sync(application.ref, { revision, prune: true, infos: { task: 't-1' } });
      const asked = await world.system.read(world.application);
      expect(asked.operationRequested?.infos ?? asked.operation?.infos).toEqual({ task: 't-1' });
    });

    it('refuses a second sync while one is in progress', async () => {
      const revision = await world.commit();
      await world.system.sync(application.ref, { revision, prune: true, infos: {} });
      const again = world.system.sync(application.ref, { revision, prune: true, infos: {} });
      await expect(again).rejects.toMatchObject({ reason: 'conflict', retryable: true });
    });

    it('ends a running operation, and does not mind when there is none', async () => {
      await world.system.terminate(application.ref);
      const revision = await world.commit();
      await world.system.sync(application.ref, { revision, prune: true, infos: {} });
      await until(world, (seen) => seen.operation?.phase === 'Running');
      await world.system.terminate(application.ref);
      expect((await untilEnded(world)).operation?.phase).toBe('Failed');
    });

    it('tells who made a revision, or that it does not know', async () => {
      const revision = await world.commit();
      if (world.knowsAuthors === false) {
        const asked = world.system.revisionMetadata(application.ref, revision);
        return expect(asked).rejects.toMatchObject({ reason: 'rejected' });
      }
      const metadata = await world.system.revisionMetadata(application.ref, revision);
      expect(metadata.author).toContain('@');
      expect(metadata.message).not.toBe('');
      expect(Date.parse(metadata.date)).toBeGreaterThan(0);
    });

    it('hints at an application that moves, until it is told to stop', async () => {
      const stop = new AbortController();
      const hints: string[] = [];
      for await (const hint of world.system.watch({ signal: stop.signal })) {
        hints.push(`${hint.namespace}/${hint.name}`);
        if (hints.length === 1) await world.commit();
        if (hints.length > 1) stop.abort();
      }
      expect(new Set(hints)).toEqual(new Set([`${application.ref.namespace}/${application.ref.name}`]));
    });

    it('stops watching quietly, even before the first hint', async () => {
      world.hangNext();
      const hints = await collect(world.system.watch({ signal: AbortSignal.timeout(50) }));
      expect(hints).toEqual([]);
    });

    it('says that an application does not exist', async () => {
      const reading = world.system.read({ ...world.application, name: NOBODY });
      await expect(reading).rejects.toMatchObject({ reason: 'not-found' });
    });

    it('lets no name lead out of its path', async () => {
      const reading = world.system.read({ ...world.application, name: '..' });
      await expect(reading).rejects.toMatchObject({ reason: 'rejected' });
    });

    it.each<[string, number, FailureReason]>([
      ['an unknown token', 401, 'unauthenticated'],
      ['missing rights', 403, 'forbidden'],
      ['too many requests', 429, 'rate-limited'],
      ['a fault of its own', 500, 'unavailable'],
      ['a proxy without a server', 502, 'unavailable'],
      ['overload', 503, 'unavailable'],
      ['a proxy that lost patience', 504, 'timeout'],
      ['a redirect', 302, 'bad-response'],
    ])('tells %s apart', async (_, status, reason) => {
      world.answerNext(status, 'text/plain', 'no');
      await expect(world.system.list()).rejects.toMatchObject({ reason });
    });

    it.each([
      ['a web page', 'text/html', '<html><body>Please log in</body></html>'],
      ['broken JSON', 'application/json', '{"items":[{"metadata":'],
      ['another shape', 'application/json', '["what?"]'],
      ['nothing', 'application/json', ''],
    ])('refuses %s in place of an application', async (_, contentType, text) => {
      world.answerNext(200, contentType, text);
      await expect(world.system.read(world.application)).rejects.toMatchObject({ reason: 'bad-response' });
      world.answerNext(200, contentType, text);
      await expect(world.system.list()).rejects.toMatchObject({ reason: 'bad-response' });
    });

    it('refuses an answer that is too large to read', async () => {
      world.answerNext(200, 'application/json', JSON.stringify({ metadata: { name: 'x'.repeat(20 * 1024 * 1024) } }));
      await expect(world.system.read(world.application)).rejects.toMatchObject({ reason: 'bad-response' });
    });

    it('gives up waiting after its time limit', async () => {
      world.hangNext();
      await expect(world.impatient.read(world.application)).rejects.toMatchObject({ reason: 'timeout' });
    });

    it('stops at once when it is told to', async () => {
      world.hangNext();
      const reading = world.system.read(world.application, { signal: AbortSignal.timeout(50) });
      await expect(reading).rejects.toMatchObject({ reason: 'cancelled' });
    });

    it('says that nobody answers', async () => {
      await expect(world.unreachable.list()).rejects.toMatchObject({ reason: 'unavailable' });
    });

    it.each<[string, (w: DeliverySystemWorld) => void]>([
      ['breaks', (w) => w.resetNext()],
      ['never ends', (w) => w.hangNext()],
      ['is answered with a web page', (w) => w.answerNext(200, 'text/html', '<html></html>')],
      ['is answered 500', (w) => w.answerNext(500, 'text/plain', 'oops')],
      ['is answered 504', (w) => w.answerNext(504, 'text/plain', 'oops')],
    ])('says that the outcome is unknown when a request to sync %s', async (_, hurt) => {
      const revision = await world.commit();
      hurt(world);
      const failure = await failureOf(world.impatient.sync(application.ref, { revision, prune: true, infos: {} }));
      expect(['unavailable', 'timeout']).toContain(failure.reason);
    });

    it('sends nothing when it may no longer act', async () => {
      const revision = await world.commit();
      const before = world.changes();
      const guard = () => {
        throw new AdapterError('cancelled', 'the lease ended');
      };
      const request = { revision, prune: true, infos: {} };
      await expect(world.system.sync(application.ref, request, { guard })).rejects.toMatchObject({
        reason: 'cancelled',
      });
      await expect(world.system.terminate(application.ref, { guard })).rejects.toMatchObject({ reason: 'cancelled' });
      expect(world.changes()).toBe(before);
    });

    it('keeps its secret out of every error', async () => {
      const failures: AdapterError[] = [];
      world.echoNext();
      failures.push(await failureOf(world.system.list()));
      world.resetNext();
      failures.push(await failureOf(world.system.list()));
      world.hangNext();
      failures.push(await failureOf(world.system.read(world.application, { signal: AbortSignal.timeout(50) })));
      world.hangNext();
      failures.push(await failureOf(world.impatient.read(world.application)));
      failures.push(await failureOf(world.unreachable.list()));
      for (const failure of failures) {
        expect(inspect(failure, { depth: 12, showHidden: true })).not.toContain(world.secret);
      }
    });

    async function until(at: DeliverySystemWorld, isSo: (seen: Application) => boolean): Promise<Application> {
      const end = Date.now() + 10_000;
      for (;;) {
        const seen = await at.system.read(at.application);
        if (isSo(seen)) return seen;
        if (Date.now() > end) throw new Error(`it stays at ${JSON.stringify(seen.operation)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }

    function untilEnded(at: DeliverySystemWorld): Promise<Application> {
      return until(at, ({ operation }) => operation?.finishedAt !== undefined);
    }
  });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The AdapterError that a call must end with. */
export async function failureOf(call: Promise<unknown>): Promise<AdapterError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(AdapterError);
  return outcome as AdapterError;
}
