import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/decide.ts';
import { fold } from '../../src/engine/sequence.ts';
import { type Envelope, fromEnvelope } from '../../src/events/codec.ts';
import { changeView } from '../../src/views/change.ts';

const folder = join(import.meta.dirname, 'streams');

interface Recording {
  outcome: { status: string; result: string; reason: string; tasks: string[] };
  events: Envelope[];
}

describe.each(readdirSync(folder))('the log that %s wrote', (file) => {
  const recordings = Object.entries(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, Recording>);

  it('has something to tell', () => {
    expect(recordings.length).toBeGreaterThanOrEqual(4);
    expect(new Set(recordings.map(([, { outcome }]) => outcome.result))).toEqual(new Set(['pass', 'fail']));
  });

  it.each(recordings)('is still understood: %s', (_sequence, { outcome, events }) => {
    const state = fold(events.map(fromEnvelope).filter((event) => event !== undefined));
    const stage = changeView([state], { progress: () => undefined, evidence: () => '' })?.stages[0];
    expect({
      status: stage?.status,
      result: stage?.result,
      reason: stage?.reason,
      tasks: stage?.tasks.map(({ name, result }) => `${name} ${result}`),
    }).toEqual(outcome);
  });

  it.each(recordings)('can be taken up anywhere: %s', (_sequence, { events }) => {
    for (let length = 1; length < events.length; length++) {
      const known = events
        .slice(0, length)
        .map(fromEnvelope)
        .filter((event) => event !== undefined);
      const next = decide(fold(known), { now: known.at(-1)?.at ?? '', line: {} });
      const recorded = events[length];
      // What the engine says next is what it said then; everything else came from outside.
      for (const [at, event] of next.entries()) {
        const then = fromEnvelope(events[length + at] ?? (recorded as Envelope));
        expect({ name: event.name, data: event.data }).toEqual({ name: then?.name, data: then?.data });
      }
    }
  });
});
