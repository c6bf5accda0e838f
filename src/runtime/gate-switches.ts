import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import { eventType } from '../events/types.ts';
import type { Store } from '../store/store.ts';

/** Gates that people open and close by hand. Closed until somebody opened them. */
export interface GateSwitches {
  isOpen(gate: string): Promise<boolean>;
  /** Durable when it answers; the log keeps who did it. */
  set(gate: string, open: boolean, actor: string): Promise<void>;
}

const MAX_CONFLICTS = 10;

export function createGateSwitches({ store, clock }: { store: Store; clock: Clock }): GateSwitches {
  return {
    async isOpen(gate) {
      return (await store.document('gate', gate))?.status === 'open';
    },
    async set(gate, open, actor) {
      for (let attempt = 1; ; attempt++) {
        const version = (await store.document('gate', gate))?.version ?? 0;
        const at = clock.now();
        const data = { gate, actor };
        const type = open ? eventType('gate.opened') : eventType('gate.closed');
        const event = { id: newId(), source: 'lynceus', subject: gate, type, time: at.toISOString(), data };
        try {
          await store.commit({
            appends: [{ stream: `gate/${gate}`, expectedVersion: version, events: [event] }],
            documents: [
              {
                kind: 'gate',
                id: gate,
                version: version + 1,
                status: open ? 'open' : 'closed',
                sort: at.getTime(),
                data,
              },
            ],
          });
          return;
        } catch (error) {
          const conflict = error instanceof Error && error.name === 'ConflictError';
          if (!conflict || attempt >= MAX_CONFLICTS) throw error;
        }
      }
    },
  };
}
