import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import type { Store } from '../store/store.ts';
import { backoffMs } from './backoff.ts';
import type { Log } from './log.ts';
import { isAsLastSeen, observeJob } from './observe-application.ts';

/**
 * Follows the streams of delivery systems, for installations that cannot set up notifications. A stream
 * loses events, so this only makes things quicker; the reconciler makes them certain.
 */
export async function watchApplications(
  { store, log }: { store: Store; log: Log },
  systems: readonly DeliverySystem[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(systems.map((system) => follow(store, log, system, signal)));
}

async function follow(store: Store, log: Log, system: DeliverySystem, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      for await (const { namespace, name, application } of system.watch({ signal })) {
        failures = 0;
        // Argo CD tells all of them at the start, and each again whenever it has compared it.
        if (application !== undefined && (await isAsLastSeen(store, application))) continue;
        await store.commit({ jobs: [observeJob(system.name, namespace, name)] });
      }
    } catch (error) {
      if (!signal.aborted)
        log.info({ system: system.name, err: { message: String(error) } }, 'the stream ended and will be opened again');
    }
    failures++;
    await pause(backoffMs(failures), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (signal.aborted) return done();
    signal.addEventListener('abort', done, { once: true });
  });
}
