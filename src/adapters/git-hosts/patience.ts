import { setTimeout as sleep } from 'node:timers/promises';
import { AdapterError } from '../../base/adapter-error.ts';

/** Waits for a host that works in the background. @throws {AdapterError} `cancelled` */
export async function wait(name: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {
    throw new AdapterError('cancelled', `${name}: the request was given up`);
  });
}

/** The merge has happened and is answered; a branch that stays behind is untidy and no more. */
export function keepLeftover(error: unknown): void {
  if (!(error instanceof AdapterError)) throw error;
}
