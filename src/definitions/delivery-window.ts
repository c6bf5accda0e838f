import Type, { type Static } from 'typebox';
import { isJsonObject } from '../base/json.ts';
import { EXAMPLES, parseWindow } from '../engine/windows.ts';
import type { Window } from './delivery.ts';
import { closed } from './delivery-names.ts';
import type { Path } from './read-yaml.ts';

export const DEFAULT_TIME_ZONE = 'UTC';

const WindowText = Type.String({ format: 'window-text', description: `a window like ${EXAMPLES}` });

const WindowEntry = closed({
  deny: Type.Optional(WindowText),
  allow: Type.Optional(WindowText),
  timeZone: Type.Optional(
    Type.String({ format: 'time-zone', description: 'a time zone such as Europe/Vienna or UTC' }),
  ),
  reason: Type.Optional(Type.String({ maxLength: 200 })),
});

/** `windows` of checks and promotions. */
export const Windows = Type.Array(WindowEntry, { maxItems: 50 });

/** For a window that the schema has accepted. */
export function toWindow(window: Static<typeof WindowEntry>): Window {
  const text = window.deny ?? window.allow ?? '';
  const parsed = parseWindow(text);
  return {
    kind: window.deny === undefined ? 'allow' : 'deny',
    spans: parsed.ok ? parsed.spans : [],
    timeZone: window.timeZone ?? DEFAULT_TIME_ZONE,
    reason: window.reason ?? '',
    text,
  };
}

/** What no schema can say of `windows`. Works on any value. */
export function checkWindowList(
  windows: unknown,
  path: Path,
  report: (path: Path, message: string, key?: string) => void,
): void {
  for (const [index, window] of (Array.isArray(windows) ? windows : []).entries()) {
    if (!isJsonObject(window)) continue;
    const place = [...path, index];
    if ('deny' in window && 'allow' in window)
      report(place, 'has both "deny" and "allow": make it two windows', 'allow');
    if (!('deny' in window) && !('allow' in window))
      report(place, 'needs "deny" or "allow" with a window such as "FR 15:00/MO 07:00"');
  }
}
