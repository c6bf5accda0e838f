import { sha256 } from '../../base/ids.ts';
import { isJsonObject, type Json } from '../../base/json.ts';
import type { NewEvent } from '../../store/store.ts';
import { eventOfCdEvent } from './cd-event.ts';

/** A report of the short form, in the log. */
export const REPORTED = 'dev.lynceus.step.reported.v1';
/** Who sent it, where it does not say. */
const SOMEBODY = 'report';

export const PLAIN_FORMS =
  'application/json must be a CDEvent (with context and subject) or a report (with kind and state), see docs/report.md';

/**
 * What came without a CloudEvent around it, in one; `undefined`: it is neither a CDEvent nor a report. A report without
 * an id is the same as another one of the same text.
 *
 * @throws {Refusal} it is no CDEvent, though it looks like one
 */
export function plainEvent(value: Json, receivedAt: Date): NewEvent | undefined {
  if (!isJsonObject(value)) return undefined;
  if (isJsonObject(value['context']) && value['subject'] !== undefined) return eventOfCdEvent(value);
  if (value['kind'] === undefined) return undefined;
  const { id, source } = value;
  return {
    id: isText(id) ? id : sha256(JSON.stringify(value)),
    source: isText(source) ? source : SOMEBODY,
    type: REPORTED,
    time: receivedAt.toISOString(),
    data: { data: value },
  };
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 500;
}
