import { changeFacts } from '../../src/answers/change-facts.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { changeRecord } from '../../src/runtime/change-record.ts';
import { FLEET } from '../../src/runtime/fleet.ts';
import { fleetKey } from '../../src/runtime/fleet-job.ts';
import { askForRebuild } from '../../src/runtime/rebuild.ts';
import { openStore } from '../../src/store/open.ts';
import type { Document, Store } from '../../src/store/store.ts';
import { evaluationView } from '../../src/views/evaluation-document.ts';
import { fleetService } from '../../src/views/fleet.ts';
import { sequenceRows } from '../../src/views/sequence-document.ts';
import type { Database } from './databases.ts';
import { hash, type SeededChange, type SeededService, type Size, seededService } from './ui-world.ts';

export interface Seeded {
  applications: number;
  changes: number;
  evaluations: number;
}

/** Services written in one transaction. */
const AT_ONCE = 4;

/**
 * Fills an empty store with the read models of a large fleet, by the same functions as the service. There is no log behind
 * them: what happens to these changes afterwards cannot be told, only looked at.
 */
export async function seedStore(
  database: Database,
  size: Size,
  now: number,
  say: (line: string) => void,
): Promise<Seeded> {
  const store = await openStore(database);
  const seeded: Seeded = { applications: 0, changes: 0, evaluations: 0 };
  try {
    await haveRowsOfThisForm(store, now);
    for (let at = 0; at < size.services; at += AT_ONCE) {
      const services = Array.from({ length: Math.min(AT_ONCE, size.services - at) }, (_, nth) =>
        seededService(at + nth, size, now),
      );
      const documents = services.flatMap((service) => documentsOf(service, now));
      const changes = services.flatMap((service) => service.changes.map((change) => recordOf(change)));
      await store.commit({ documents, changes });
      seeded.applications += services.reduce((sum, { running }) => sum + running.length, 0);
      seeded.changes += changes.length;
      seeded.evaluations += documents.filter(({ kind }) => kind === 'evaluation').length;
      if (at % 200 === 0) say(`${database.kind}: ${at} of ${size.services} services seeded`);
    }
  } finally {
    await store.close();
  }
  return seeded;
}

/** A service that finds rows of another form makes them anew from the log, and there is none. */
async function haveRowsOfThisForm(store: Store, now: number): Promise<void> {
  await askForRebuild(store, new Date(now));
  for (const claim of await store.claim({ limit: 10, leaseMs: 60_000, queues: ['rebuild'] }))
    await store.commit({ claim, settle: { kind: 'done' } });
}

function recordOf({ id, sequences }: SeededChange) {
  return changeRecord(changeFacts({ id, rev: 10 * sequences.length, sequences }), sequences);
}

function documentsOf(service: SeededService, now: number): Document[] {
  const rows: Document[] = service.changes.flatMap(({ sequences }) =>
    sequences.flatMap((state) => sequenceRows(state, 2 + 2 * state.tasks.length)),
  );
  // A change's own row is written by each of its stages; the newest stays.
  const once = new Map(rows.map((row) => [`${row.kind}/${row.id}`, row]));
  return [...once.values(), ...applications(service, now), fleetRow(service, rows, now)];
}

function applications({ project, service, running }: SeededService, now: number): Document[] {
  return running.map(({ stage, name, runs }) => {
    const ref = { system: 'main', namespace: 'argocd', name, uid: hash(name).slice(0, 32), systemProject: project };
    const id = `main/argocd/${name}`;
    const data = { ref, targetRevision: runs.revision ?? '', fingerprint: 'seeded', runs } as unknown as JsonObject;
    const context = fleetKey({ project, service });
    return { kind: 'application', id, version: 1, project, stage, service, context, status: 'seen', sort: now, data };
  });
}

function fleetRow(
  { project, service, changes, running }: SeededService,
  rows: readonly Document[],
  now: number,
): Document {
  const evaluations = new Map(
    running.map(({ stage }) => [
      stage,
      rows
        .filter((row) => row.kind === 'evaluation' && row.stage === stage)
        .toSorted((a, b) => b.sort - a.sort)
        .slice(0, 12)
        .map((row) => evaluationView({ ...row, status: row.status ?? '' })),
    ]),
  );
  const data = fleetService({
    project,
    service,
    applications: running.map(({ stage, name, runs }) => ({
      stage,
      ref: { system: 'main', namespace: 'argocd', name, uid: '', systemProject: project },
      runs,
    })),
    sequences: changes.slice(-10).flatMap(({ sequences }) => sequences),
    evaluations,
  });
  return {
    kind: FLEET,
    id: fleetKey({ project, service }),
    version: 1,
    project,
    service,
    status: 'known',
    // As the service writes it: when something last moved.
    sort: data.lastAt === undefined ? now : Date.parse(data.lastAt),
    data: JSON.parse(JSON.stringify(data)) as JsonObject,
  };
}
