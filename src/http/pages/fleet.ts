import { type Request, Router } from 'express';
import type { Person } from '../../answers/change-row.ts';
import type { Clock } from '../../base/clock.ts';
import type { FleetBoard, FleetRead } from '../../runtime/fleet-board.ts';
import type { Store } from '../../store/store.ts';
import { page } from '../../ui/layout.ts';
import { fleetScreen } from '../../ui/pages/fleet/page.ts';
import type { FleetService } from '../../views/fleet.ts';
import { behindOf, driftOf } from '../../views/fleet-drift.ts';
import type { FleetQuery } from '../../views/fleet-page.ts';
import type { Authentication } from '../authentication.ts';
import { oneOf, textIn, textsIn } from './asked.ts';
import type { FrameOf } from './frame.ts';

export interface FleetTools {
  fleet: FleetBoard;
  store: Pick<Store, 'changesById'>;
  clock: Clock;
  authentication: Authentication;
  frameOf: FrameOf;
}

const MAX_OPEN = 50;

/** What runs where: the page, and the same for programs. */
export function fleetRoutes({ fleet, store, clock, authentication, frameOf }: FleetTools): Router {
  const router = Router();
  const read = authentication.require('read');
  router.get('/fleet', read, async (request, response) => {
    const query = fleetQuery(request);
    const found = await fleet.page(query);
    const frame = frameOf(request, response, 'fleet');
    const authors = await authorsOf(store, found);
    const body = fleetScreen({ ...found, query, authors, now: frame.now });
    response.type('html').send(page(frame, 'Fleet', body));
  });
  router.get('/api/v1/fleet', read, async (request, response) => {
    const { page: found, services, silent } = await fleet.page(fleetQuery(request));
    const { groups, ...counts } = found;
    response.json({
      ...counts,
      asOf: clock.now().toISOString(),
      groups: groups.map(({ shown, ...group }) => ({
        ...group,
        services: shown.flatMap((id) => {
          const service = services.get(id);
          return service === undefined ? [] : [asRow(service, silent)];
        }),
      })),
    });
  });
  return router;
}

function asRow(service: FleetService, silent: ReadonlyMap<string, string>) {
  const { project, service: name, team, units, stages, differs } = service;
  const drift = driftOf(service);
  return {
    project,
    service: name,
    ...(team === undefined ? {} : { team }),
    differs,
    cells: units.map((unit) => {
      const noSignalSince = silent.get(unit.system);
      const behind = behindOf(unit, service);
      return {
        ...unit,
        ...(behind === undefined ? {} : { behind }),
        ...(noSignalSince === undefined ? {} : { noSignalSince }),
      };
    }),
    stages: stages.map(({ stage, evaluation, last, good }) => ({
      stage,
      ...(evaluation === undefined ? {} : { evaluation }),
      ...(last === undefined ? {} : { last }),
      ...(good === undefined ? {} : { good }),
    })),
    ...(drift === undefined ? {} : { drift: { where: drift.where, count: drift.count, since: drift.since } }),
  };
}

function fleetQuery(request: Request): FleetQuery {
  const [project, q, only, cursor] = ['project', 'q', 'in', 'cursor'].map((name) => textIn(request, name));
  return {
    group: oneOf(textIn(request, 'group'), ['team', 'project']),
    by: oneOf(textIn(request, 'by'), ['stage', 'cluster', 'ring']),
    differs: textIn(request, 'differs') === '1',
    sort: oneOf(textIn(request, 'sort'), ['name', 'last']),
    open: textsIn(request, 'open').slice(0, MAX_OPEN),
    ...(project === undefined ? {} : { project }),
    ...(q === undefined ? {} : { q }),
    ...(only === undefined ? {} : { in: only }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

/** Of the changes that were delivered last, who wrote them. */
async function authorsOf(store: FleetTools['store'], { services }: FleetRead): Promise<Map<string, Person>> {
  const last = [...services.values()].flatMap(({ stages }) => stages.findLast((one) => one.last)?.last?.change ?? []);
  const changes = last.length === 0 ? [] : await store.changesById([...new Set(last)]);
  return new Map(
    changes.flatMap(({ id, data }) => {
      const { author } = data as { author?: Partial<Person> };
      return typeof author?.name === 'string' && author.name !== '' ? [[id, author as Person]] : [];
    }),
  );
}
