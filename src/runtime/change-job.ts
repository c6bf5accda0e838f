import type { NewJob } from '../store/store.ts';

/** What happens within this time is drawn once: pages look twice a second at most. */
const GATHER_MS = 150;

/** Asks for the row of a change to be written anew, soon. */
export function changeJob(change: string, delayMs = GATHER_MS): NewJob {
  // Whoever asks for it to be read from the log has more to say than those who only saw it move.
  return { queue: 'change', key: change, delayMs, keepPayload: true };
}

/** The same, from the events of the log, whatever rows say by now. */
export function rebuildJob(change: string): NewJob {
  return { queue: 'change', key: change, payload: { anew: true } };
}
