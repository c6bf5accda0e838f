import type { ConnectionCheck } from '../adapters/connection-check.ts';
import type { Clock } from '../base/clock.ts';
import { kept } from '../base/kept.ts';
import type { Store } from '../store/store.ts';
import type { Inspection, Section } from '../views/connections.ts';
import { FATAL } from './connections.ts';

const KEPT_MS = 5_000;
const MOST = 3;

/** What lists show that comes over a connection. */
const AFFECTED: Partial<Record<Section, string>> = {
  deliverySystems: 'stages may be out of date',
  gitHosts: 'pull requests may be out of date',
  metrics: 'evaluations may be missing',
};

/**
 * What of a list of changes may be out of date, a sentence each: where a connection did not answer when it was looked at
 * last. Kept for some seconds: every reader of every list asks.
 */
export function createConnectionProblems(room: {
  store: Store;
  clock: Clock;
  checks: readonly Pick<ConnectionCheck, 'section' | 'name'>[];
}): () => Promise<readonly string[]> {
  const { store, clock, checks } = room;
  const concerned = checks.filter(({ section }) => AFFECTED[section] !== undefined);
  return kept(
    async () => {
      const rows = await Promise.all(
        concerned.map(({ section, name }) => store.document('connection', `${section}/${name}`)),
      );
      const all = concerned.flatMap(({ section, name }, at) => {
        const sentence = problemIn(rows[at]?.data as Inspection | undefined);
        return sentence === undefined
          ? []
          : [`${sentence.includes(` ${name} `) ? '' : `${name}: `}${sentence}: ${AFFECTED[section]}`];
      });
      const more = all.length - MOST;
      return more > 0 ? [...all.slice(0, MOST), `${more} more connections do not answer`] : all;
    },
    clock,
    KEPT_MS,
  );
}

function problemIn(inspection: Inspection | undefined): string | undefined {
  const found = inspection?.findings.find(({ level, check }) => level === 'problem' && FATAL.has(check));
  if (!found || !inspection) return undefined;
  return `${found.sentence} (looked at ${inspection.checkedAt.slice(11, 16)} UTC)`;
}
