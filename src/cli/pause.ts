/** Waits; false: it was stopped meanwhile. */
export function pause(ms: number, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (stop.aborted) return resolve(false);
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve(!stop.aborted);
    };
    const timer = setTimeout(done, ms);
    stop.addEventListener('abort', done);
  });
}
