import type { JsonObject } from '../../base/json.ts';
import type { Diagnose } from '../connection-check.ts';

/** Somebody who wants to hear of what happens. */
export interface EventSink {
  readonly name: string;
  /**
   * Sends one CloudEvent. The same one may come twice: its id says so.
   *
   * @throws {AdapterError} `rejected`: it will never be taken; otherwise it is sent again
   */
  send(event: JsonObject, options: { signal: AbortSignal }): Promise<void>;
  diagnose?: Diagnose;
}
