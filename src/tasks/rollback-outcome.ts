import type { JsonObject } from '../base/json.ts';
import { fail, pass, type TaskOutcome } from './task.ts';

/** Nothing was rolled back, and nothing went wrong with it: the engine says so without alarm. */
export function notRolledBack(message: string, data: JsonObject = {}): TaskOutcome {
  return fail(message, { ...data, notRolledBack: true });
}

/** The stage runs the good commit again and is healthy. */
export function rolledBack(message: string, data: JsonObject): TaskOutcome {
  return pass(message, data);
}
