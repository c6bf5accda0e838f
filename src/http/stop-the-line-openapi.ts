const text = { type: 'string' };
const name = { ...text, pattern: '^[a-z][a-z0-9-]{0,62}$' };
const scope = {
  project: { ...name, description: 'absent: all projects' },
  stage: { ...name, description: 'absent: all stages' },
};
const answer = (schema: object, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const ref = (schema: string) => ({ $ref: `#/components/schemas/${schema}` });
const requestBody = { required: true, content: { 'application/json': { schema: ref('LineWish') } } };

/** The part of the API's document about stopping the line. */
export const stopTheLinePaths = (problem: object) => ({
  '/api/v1/stop-the-line': {
    get: {
      operationId: 'listStops',
      summary: 'What is stopped now, the oldest first',
      responses: {
        200: answer(
          { type: 'object', required: ['stops'], properties: { stops: { type: 'array', items: ref('LineStop') } } },
          'Stops in force',
        ),
        default: problem,
      },
    },
    post: {
      operationId: 'stopTheLine',
      summary: 'Stop promotions and gated syncs, everywhere or in a project or stage; rollbacks go on',
      requestBody,
      responses: { 201: answer(ref('LineStop'), 'Stopped, also where it was stopped already'), default: problem },
    },
  },
  '/api/v1/go-on': {
    post: {
      operationId: 'goOn',
      summary: 'End the stop of exactly this scope; 409: there is none',
      requestBody,
      responses: { 200: answer(ref('LineStop'), 'The stop that is over'), default: problem },
    },
  },
});

export const stopTheLineSchemas = {
  LineWish: {
    type: 'object',
    required: ['reason'],
    properties: { reason: { ...text, minLength: 1, maxLength: 2000 }, ...scope },
  },
  LineStop: {
    type: 'object',
    required: ['id', 'at', 'actor', 'reason'],
    properties: { id: text, at: { ...text, format: 'date-time' }, actor: text, reason: text, ...scope },
  },
};
