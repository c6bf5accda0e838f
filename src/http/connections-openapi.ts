const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };
const count = { type: 'integer', minimum: 0 };
const list = (items: object) => ({ type: 'array', items });

/** The part of the API's document about connections. */
export const connectionsPaths = (problem: object) => ({
  '/api/v1/connections': {
    get: {
      operationId: 'listConnections',
      summary: 'What is connected, what is labelled, what is silent and what cannot be read, each with the remedy',
      parameters: [
        {
          name: 'limit',
          in: 'query',
          description: 'how many applications at most; those with problems come first',
          schema: { type: 'integer', minimum: 1, maximum: 10_000, default: 1000 },
        },
      ],
      responses: {
        200: {
          description: 'As it was when it was looked at last',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Connections' } } },
        },
        default: problem,
      },
    },
  },
});

const finding = {
  type: 'object',
  required: ['level', 'check', 'sentence'],
  properties: { level: { enum: ['ok', 'warning', 'problem'] }, check: text, sentence: text, remedy: text },
};

export const connectionsSchemas = {
  Connections: {
    type: 'object',
    required: ['connections', 'applications', 'more'],
    properties: {
      connections: list({
        type: 'object',
        required: ['section', 'kind', 'name', 'hasWebhook', 'level', 'findings'],
        properties: {
          section: { enum: ['deliverySystems', 'gitHosts', 'metrics', 'registries', 'eventSinks', 'signIn'] },
          kind: text,
          name: text,
          hasWebhook: { type: 'boolean', description: 'whether anything may call us in its name' },
          level: { enum: ['ok', 'warning', 'problem', 'unchecked'] },
          checkedAt: time,
          findings: list(finding),
          heardAt: { ...time, description: 'when it last told us of anything' },
          heardLastDay: { ...count, description: 'applications that a delivery system told of in the last 24 h' },
          labelled: { ...count, description: 'applications that carry a label of ours' },
        },
      }),
      applications: list({
        type: 'object',
        required: ['system', 'namespace', 'name', 'state', 'problems'],
        properties: {
          system: text,
          namespace: text,
          name: text,
          project: text,
          stage: text,
          service: text,
          state: {
            enum: ['ok', 'silent', 'incomplete', 'unreadable'],
            description: 'silent: it changed, and nobody told of it; incomplete: a label, annotation or file is wrong',
          },
          problems: list({
            type: 'object',
            required: ['sentence', 'remedy'],
            properties: { sentence: text, remedy: text },
          }),
          heardAt: time,
          changedAt: { ...time, description: 'absent: it never changed since it was first seen' },
        },
      }),
      more: { ...count, description: 'applications beyond the limit' },
    },
  },
};
