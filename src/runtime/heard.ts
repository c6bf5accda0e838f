import type { JsonObject } from '../base/json.ts';
import { applicationKey } from '../events/application.ts';
import type { Document } from '../store/store.ts';
import type { HeardApplication } from '../views/connections.ts';

/** What the receiver of a notification leaves behind: who was heard of, when, and why it could not be read. */
export function heardDocument(
  ref: { system: string; namespace: string; name: string },
  heardAt: string,
  unread?: string,
): Document {
  const time = Date.parse(heardAt);
  const data: HeardApplication = { ...ref, heardAt, ...(unread === undefined ? {} : { unread }) };
  return { kind: 'heard', id: applicationKey(ref), version: time, sort: time, data: data as unknown as JsonObject };
}
