import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/base/clock.ts';
import { createForecasts } from '../../src/runtime/forecasts.ts';
import { openStore } from '../../src/store/open.ts';

/** A process of its own: what it takes to hold the forecasts of a store whose folder is its argument. */
const [, , dataDir = ''] = process.argv;
const store = await openStore({ dataDir });
// A page of rows, so that the store has warmed up either way.
await store.documents({ kind: 'steps', limit: 200 });
globalThis.gc?.();
const before = resident();
const forecasts = createForecasts({ store, clock: systemClock });
const began = performance.now();
await forecasts.refresh();
const ms = performance.now() - began;
const loaded = resident();
globalThis.gc?.();
console.log(
  JSON.stringify({ ms, grown: resident() - before, peak: loaded - before, services: forecasts.services().length }),
);
await store.close();

/** Bytes; what the kernel says. */
function resident(): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}
