import { performance } from 'node:perf_hooks';

const LOOK_EVERY_MS = 500;
/** Of the time between two looks. What an idle service looks at by itself takes a hundredth of it. */
const BUSY = 0.15;
/** One alone is a pause between two requests, or V8 at work. */
const LOOKS = 2;

/** Tells when the process has run out of things to do, and when it has some again. */
export function watchForIdleness(tell: (isIdle: boolean) => void): void {
  const look = createIdleWatch(tell);
  let before = performance.eventLoopUtilization();
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    look(performance.eventLoopUtilization(now, before).utilization);
    before = now;
  }, LOOK_EVERY_MS).unref();
}

/** Takes the share of the time since the last look, 0 to 1, in which something was done. At first it counts as busy. */
export function createIdleWatch(tell: (isIdle: boolean) => void): (utilization: number) => void {
  let isIdle = false;
  let otherwise = 0;
  return (utilization) => {
    otherwise = utilization < BUSY === isIdle ? 0 : otherwise + 1;
    if (otherwise < LOOKS) return;
    otherwise = 0;
    isIdle = !isIdle;
    tell(isIdle);
  };
}
