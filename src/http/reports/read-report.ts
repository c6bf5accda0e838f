import type { Report } from '../../events/report.ts';
import type { NewEvent } from '../../store/store.ts';
import { isCdEvent, readCdEvent } from './cd-event.ts';
import { REPORTED } from './plain.ts';
import { readShortReport } from './short-form.ts';

/**
 * What an event of others tells of a change; `undefined`: nothing.
 *
 * @throws {Refusal} it should tell something, but not in a way that can be understood
 */
export function readReport(event: NewEvent, now: Date): Report | undefined {
  const data = event.data['data'] ?? null;
  if (isCdEvent(event)) return readCdEvent(data, event, now);
  return event.type === REPORTED ? readShortReport(data, event, now) : undefined;
}
