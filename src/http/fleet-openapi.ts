const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };
const count = { type: 'integer', minimum: 0 };
const score = { type: 'number', minimum: 0, maximum: 100 };
const list = (items: object) => ({ type: 'array', items });
const object = (required: readonly string[], properties: object) => ({ type: 'object', required, properties });
const query = (name: string, description: string, schema: object = text) => ({
  name,
  in: 'query',
  description,
  schema,
});

const delivered = object(['change', 'label', 'at'], { change: text, label: text, at: time });
const behind = object(['count', 'since'], {
  count: { type: 'integer', minimum: 1 },
  since: { ...time, description: 'since when there is a newer one' },
});

/** The part of the API's document about what runs where. */
export const fleetPaths = (problem: object) => ({
  '/api/v1/fleet': {
    get: {
      operationId: 'readFleet',
      summary: 'What runs where: services in groups, those that differ first',
      parameters: [
        query('project', 'only of this project'),
        query('group', 'how services are grouped', { enum: ['team', 'project'], default: 'team' }),
        query('differs', '1: only services that are not the same everywhere', { enum: ['1'] }),
        query('q', 'part of the name of a service, project, team or cluster'),
        query('sort', 'last: those first that something was delivered of last', { enum: ['name', 'last'] }),
        query('open', 'groups whose services are listed although they are the same everywhere', list(text)),
        query('in', 'only this group, 25 services at a time'),
        query('cursor', '`next` of the page before; with `in`, `next` of the group'),
      ],
      responses: {
        200: {
          description: 'Of groups in which nothing differs only the numbers',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Fleet' } } },
        },
        default: problem,
      },
    },
  },
});

export const fleetSchemas = {
  Fleet: object(['groups', 'matching', 'total', 'units', 'asOf'], {
    matching: { ...count, description: 'services that the filters leave' },
    total: count,
    units: { ...count, description: 'applications' },
    next: text,
    asOf: time,
    groups: list(
      object(['name', 'total', 'differing', 'services'], {
        name: text,
        total: count,
        differing: count,
        next: text,
        services: list({ $ref: '#/components/schemas/FleetService' }),
      }),
    ),
  }),
  FleetService: object(['project', 'service', 'differs', 'cells', 'stages'], {
    project: text,
    service: text,
    team: text,
    differs: { type: 'boolean' },
    drift: object(['where', 'count', 'since'], { where: text, count: { type: 'integer' }, since: time }),
    cells: list(
      object(['stage', 'system', 'namespace', 'name', 'cluster', 'health', 'sync'], {
        stage: text,
        system: text,
        namespace: text,
        name: text,
        cluster: text,
        ring: text,
        version: { type: 'string', description: 'as its image or chart calls it' },
        revision: text,
        health: text,
        sync: text,
        since: { ...time, description: 'when that was deployed' },
        link: text,
        behind,
        noSignalSince: { ...time, description: 'its delivery system has not answered since then' },
      }),
    ),
    stages: list(
      object(['stage'], {
        stage: text,
        evaluation: object(['id', 'at', 'result'], { id: text, at: time, result: text, score }),
        last: { ...delivered, description: 'what was delivered here last and stayed' },
        good: { ...delivered, description: 'what was good here before that' },
      }),
    ),
  }),
  HeatMap: object(['slis', 'columns', 'cells'], {
    slis: list(
      object(['key', 'sli', 'name', 'keySli', 'weight', 'current'], {
        key: text,
        sli: text,
        name: text,
        keySli: { type: 'boolean' },
        weight: { type: 'number' },
        current: { type: 'boolean', description: 'the newest evaluation that could be judged has it' },
      }),
    ),
    columns: list(
      object(['id', 'at', 'result', 'compared', 'count'], {
        id: { type: 'string', description: 'of the evaluation; of several in one column, of the worst' },
        at: time,
        change: text,
        version: text,
        revision: text,
        score,
        result: { enum: ['pass', 'warning', 'fail', 'errored'] },
        compared: list(text),
        ignored: { type: 'boolean' },
        count: { type: 'integer', minimum: 1 },
      }),
    ),
    cells: {
      description: 'by objective, then by column: state and value',
      ...list(list({ type: 'array', minItems: 2, maxItems: 2 })),
    },
    next: text,
  }),
};
