const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };
const count = { type: 'integer', minimum: 0 };
const counts = { type: 'object', additionalProperties: count };
const fate = { type: 'object', required: ['changes'], properties: { changes: count, seconds: { type: 'number' } } };
const list = (items: object) => ({ type: 'array', items });
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object, description: string) => ({ description, content: { 'application/json': { schema } } });
const id = { name: 'id', in: 'path', required: true, description: 'context id of the change', schema: text };
const query = (name: string, description: string, schema: object = text) => ({
  name,
  in: 'query',
  description,
  schema,
});
const several = (name: string, description: string, items: object = text) => ({
  ...query(name, `${description}; several are alternatives`, list(items)),
  explode: true,
});

const STATES = [
  'idle',
  'queued',
  'running',
  'waiting',
  'passed',
  'warning',
  'failed',
  'skipped',
  'superseded',
  'unknown',
];
const KINDS = ['code', 'config', 'rollback'];
const STEP_KEYS = [
  ...['build', 'image', 'manifest', 'review', 'checks', 'approval', 'sync', 'rollout'],
  ...['test', 'evaluation', 'release', 'soak', 'promotion', 'rollback'],
];
const state = { enum: STATES };

/** The part of the API's document about changes: their rows with the five answers, and their journeys. */
export const changesPaths = (problem: object) => ({
  '/api/v1/changes': {
    get: {
      operationId: 'listChanges',
      summary: 'Changes with their five answers: who has to act comes first, then what stopped, moves, is over',
      parameters: [
        query('q', 'commit (4 digits or more), digest, pull request, version, service, or words of the title'),
        query('mine', 'only the own ones', { enum: ['', '0', '1', 'true', 'false'] }),
        query('needs', 'only those that wait for the reader', { const: 'me' }),
        several('state', 'how they stand', state),
        several('stage', 'where they are now'),
        several('team', 'of this team'),
        several('author', 'by this person: name or login'),
        several('project', 'of this project'),
        several('service', 'of this service'),
        several('kind', 'of this kind', { enum: KINDS }),
        several('ring', 'deployed to this ring'),
        several('cluster', 'deployed to this cluster'),
        query('since', 'moved within this time (7d) or since this date'),
        query('journeys', 'also the whole journey of each, which takes longer', {
          enum: ['', '0', '1', 'true', 'false'],
        }),
        query('limit', 'page size', { type: 'integer', minimum: 1, maximum: 200, default: 50 }),
        query('cursor', '"next" of the page before'),
      ],
      responses: { 200: json(ref('ChangeList'), 'A page of changes'), default: problem },
    },
  },
  '/api/v1/changes/{id}': {
    get: {
      operationId: 'readChange',
      summary: 'One change with its whole journey and its five answers',
      parameters: [id],
      responses: { 200: json(ref('ChangeDetail'), 'The change'), default: problem },
    },
  },
});

/** The part about finding a change by what others know it by. */
export const findPaths = (problem: object) => ({
  '/api/v1/find/argocd/{namespace}/{app}': {
    get: {
      operationId: 'findByApplication',
      summary: 'The newest change of an application of Argo CD',
      parameters: [
        { ...id, name: 'namespace', description: 'where the Application is' },
        { ...id, name: 'app', description: 'its name' },
      ],
      responses: {
        200: json(
          { type: 'object', required: ['row'], properties: { row: ref('ChangeRow'), url: text } },
          'Its row, and where its page is',
        ),
        default: problem,
      },
    },
  },
});

/** The part about making rows again. */
export const rebuildPaths = (problem: object) => ({
  '/api/v1/rebuild': {
    get: {
      operationId: 'readRebuild',
      summary: 'How far it is that all rows are written anew from the log',
      responses: { 200: json(ref('Rebuild'), 'Progress'), default: problem },
    },
    post: {
      operationId: 'rebuild',
      summary: 'Write all rows anew from the log; one that is under way begins again',
      responses: { 202: json(ref('Rebuild'), 'Begun'), default: problem },
    },
  },
});

const changeSummary = {
  id: text,
  project: text,
  service: text,
  revision: text,
  summary: text,
  updatedAt: time,
  stages: list(ref('Stage')),
};

export const changesSchemas = {
  Rebuild: {
    type: 'object',
    required: ['state', 'sequences', 'left'],
    properties: {
      state: { enum: ['idle', 'reading', 'drawing', 'done'] },
      startedAt: time,
      sequences: { ...count, description: 'found in the log so far' },
      left: { ...count, description: 'changes whose rows are still to be written' },
    },
  },
  ChangeList: {
    type: 'object',
    required: ['rows', 'facets', 'total', 'asOf', 'cursorSeq'],
    properties: {
      rows: list(ref('ChangeRow')),
      facets: {
        type: 'object',
        description: 'how many there are of each value, under all filters but its own',
        required: ['state', 'stage', 'team'],
        properties: { state: counts, stage: counts, team: counts },
      },
      total: { ...count, description: 'how many the filters leave, on all pages' },
      next: text,
      asOf: time,
      cursorSeq: { ...text, description: 'what /events takes as since, to tell what is newer' },
      changes: { ...list(ref('Change')), description: 'only with journeys=1' },
    },
  },
  ChangeDetail: {
    type: 'object',
    required: ['id', 'project', 'service', 'revision', 'summary', 'updatedAt', 'stages', 'steps'],
    properties: {
      ...changeSummary,
      row: { ...ref('ChangeRow'), description: 'absent in its first moment' },
      steps: list(ref('Step')),
    },
  },
  ChangeRow: {
    type: 'object',
    description: 'where it is, what it waits for, who can unblock it, how long, how likely',
    required: [
      ...['id', 'rev', 'project', 'service', 'title', 'kind', 'author', 'commit', 'createdAt', 'movedAt', 'state'],
      ...['cells', 'blocker', 'unblock', 'eta', 'odds'],
    ],
    properties: {
      id: text,
      rev: { ...count, description: 'goes up with everything that happens to it' },
      project: text,
      service: text,
      team: text,
      title: text,
      version: text,
      kind: { enum: KINDS },
      author: ref('Person'),
      commit: ref('Reference'),
      pr: ref('Reference'),
      createdAt: time,
      movedAt: time,
      state,
      cells: list(ref('Cell')),
      blocker: {
        type: 'object',
        required: ['kind', 'sentence', 'since'],
        properties: { kind: text, sentence: text, since: text, stage: text, stale: { type: 'boolean' } },
      },
      unblock: list(ref('Unblock')),
      eta: { oneOf: [{ type: 'null' }, ref('Eta')] },
      odds: { oneOf: [{ type: 'null' }, ref('Odds')] },
      afterwards: ref('Afterwards'),
      warnedBefore: ref('WarnedBefore'),
    },
  },
  Person: { type: 'object', required: ['name'], properties: { name: text, login: text } },
  Reference: { type: 'object', required: ['text'], properties: { text, url: text, id: text } },
  Cell: {
    type: 'object',
    required: ['stage', 'state'],
    properties: {
      stage: text,
      state,
      clusters: list({
        type: 'object',
        required: ['name', 'state'],
        properties: { name: text, state, syncedAt: text },
      }),
      version: text,
      previous: text,
      score: { type: 'number', minimum: 0, maximum: 100 },
      detail: text,
    },
  },
  Unblock: {
    type: 'object',
    required: ['who', 'more', 'you'],
    properties: {
      who: list({
        type: 'object',
        description: 'a person by name, or a group',
        properties: { name: text, login: text, group: text },
      }),
      more: count,
      you: { type: 'boolean' },
      until: text,
      does: text,
      action: {
        type: 'object',
        required: ['label', 'href', 'method', 'allowed'],
        properties: {
          label: text,
          href: text,
          method: { enum: ['GET', 'POST'] },
          needs: text,
          allowed: { type: 'boolean' },
          why: text,
        },
      },
    },
  },
  Quant: {
    type: 'object',
    description: 'seconds',
    required: ['p10', 'p50', 'p90', 'n'],
    properties: { p10: { type: 'number' }, p50: { type: 'number' }, p90: { type: 'number' }, n: { type: 'number' } },
  },
  Eta: {
    type: 'object',
    required: ['text'],
    properties: { machine: ref('Quant'), people: ref('Quant'), total: ref('Quant'), text },
  },
  WarnedBefore: {
    type: 'object',
    description: 'how the last changes ended that the gate of the same stage warned of, because of the same objective',
    required: ['changes', 'fine', 'failed', 'overtaken', 'text'],
    properties: { changes: count, fine: count, failed: count, overtaken: count, text },
  },
  Afterwards: {
    type: 'object',
    description: 'of a change that failed: what became of others that failed at the same step of the same stage',
    required: ['text'],
    properties: { changes: count, wentOn: fate, overtaken: fate, basis: { enum: ['service', 'team'] }, text },
  },
  Odds: {
    type: 'object',
    required: ['p', 'lo', 'hi', 'n', 'basis', 'text'],
    properties: {
      p: { type: 'number' },
      lo: { type: 'number' },
      hi: { type: 'number' },
      n: { type: 'number' },
      basis: { enum: ['service', 'team', 'all'] },
      text,
    },
  },
  Step: {
    type: 'object',
    required: ['key', 'state', 'attempt', 'human', 'links'],
    properties: {
      stage: { ...text, description: 'absent: before the first stage' },
      key: { enum: STEP_KEYS },
      state,
      attempt: { type: 'integer', minimum: 1 },
      startedAt: text,
      endedAt: text,
      detail: text,
      human: { type: 'boolean' },
      cluster: text,
      links: list({ type: 'object', required: ['text', 'url'], properties: { text, url: text } }),
      task: text,
      sequence: text,
    },
  },
};
