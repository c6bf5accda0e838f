import type { ConnectionCheck } from '../adapters/connection-check.ts';
import type { EventSink } from '../adapters/event-sinks/event-sink.ts';
import type { Clock } from '../base/clock.ts';
import type { Finding } from '../events/finding.ts';
import type { Store } from '../store/store.ts';
import { sinkHealth } from './emit.ts';

const DAY_MS = 86_400_000;

/** Checks of event sinks that also say whether they take what they are sent; only a running service knows. */
export function withEmission(
  checks: readonly ConnectionCheck[],
  { store, clock, eventSinks }: { store: Store; clock: Clock; eventSinks: readonly EventSink[] },
): ConnectionCheck[] {
  return checks.map((check) => {
    const sink = check.section === 'eventSinks' ? eventSinks.find(({ name }) => name === check.name) : undefined;
    if (!sink) return check;
    return {
      ...check,
      diagnose: async (options) => [
        ...((await check.diagnose?.(options)) ?? []),
        ...(await emissionFindings(store, clock, sink)),
      ],
    };
  });
}

async function emissionFindings(store: Store, clock: Clock, sink: EventSink): Promise<Finding[]> {
  const [health] = await sinkHealth(store, clock, [sink]);
  if (!health) return [];
  const { failing, sentAt } = health;
  const recent = health.dead.filter(({ at }) => clock.now().getTime() - Date.parse(at) < DAY_MS);
  const [last] = recent;
  return [
    failing === undefined
      ? {
          level: 'ok',
          check: 'events',
          sentence: sentAt === undefined ? 'nothing was to be sent yet' : `took an event at ${sentAt}`,
        }
      : {
          level: 'problem',
          check: 'events',
          sentence: `has taken no event since ${failing.since}: ${failing.error}`,
          remedy: 'mend it or its credentials: events wait for a day, then they are given up',
        },
    ...(last === undefined
      ? []
      : [
          {
            level: 'warning' as const,
            check: 'dead letters',
            sentence: `${recent.length} events of the last 24 hours were given up, the last one ${last.type}: ${last.why}`,
            remedy: 'read them at /api/v1/events?format=cdevents',
          },
        ]),
  ];
}
