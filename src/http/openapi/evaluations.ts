import { evaluationRequestSchema } from '../evaluation-request.ts';
import { idempotencyKey, inPath, invalidation, json, query, ref, text, time } from './parts.ts';

const evaluationId = inPath('id', 'id of the evaluation');
const wait = query('wait', 'waits so long for the end, at most 60s', { type: 'string', examples: ['30s'] });
const key = idempotencyKey(
  'the same key of the same holder at the same place is the same evaluation; with another body it is refused',
);
const answers = {
  200: json(ref('Evaluation'), 'Finished'),
  202: json(ref('Evaluation'), 'Under way; Location says where to look'),
};

/** The part of the API's document about evaluations, of changes and on demand. */
export const evaluationPaths = (problem: object) => ({
  '/api/v1/evaluations': {
    get: {
      operationId: 'listEvaluations',
      summary: 'Evaluations of changes and on demand, the newest first',
      parameters: [
        query('project', 'only this project'),
        query('stage', 'only this stage'),
        query('service', 'only this service'),
        query('context', 'only this change, or what an event asked for'),
        query('limit', 'page size', { type: 'integer', minimum: 1, maximum: 200, default: 50 }),
        query('cursor', '"next" of the page before'),
        query('view', 'heat: in columns, as a heat map is drawn; of one project, stage and service', {
          enum: ['heat'],
        }),
      ],
      responses: {
        200: json(
          {
            oneOf: [
              {
                type: 'object',
                required: ['evaluations'],
                properties: { evaluations: { type: 'array', items: ref('Evaluation') }, next: text },
              },
              ref('HeatMap'),
            ],
          },
          'A page of evaluations',
        ),
        default: problem,
      },
    },
    post: {
      operationId: 'evaluate',
      summary: 'Judges a period, by the files of the place or by slo and sli in the body',
      parameters: [wait, key],
      requestBody: { required: true, content: { 'application/json': { schema: evaluationRequestSchema } } },
      responses: { ...answers, default: problem },
    },
  },
  '/api/v1/evaluations/{id}': {
    get: {
      operationId: 'readEvaluation',
      summary: 'One evaluation; also that of a change, by the id of its task',
      parameters: [evaluationId, wait],
      responses: { 200: json(ref('Evaluation'), 'The evaluation'), default: problem },
    },
  },
  '/api/v1/evaluations/{id}/again': {
    post: {
      operationId: 'evaluateAgain',
      summary: 'Judges the same period once more, with the files of now',
      parameters: [evaluationId, wait, key],
      responses: { ...answers, default: problem },
    },
  },
  '/api/v1/evaluations/{id}/restore': {
    post: {
      operationId: 'restoreEvaluation',
      summary: 'Takes an invalidation back: it is compared with again',
      parameters: [evaluationId],
      responses: { 200: json(ref('Evaluation'), 'The evaluation as it is now'), default: problem },
    },
  },
  '/api/v1/evaluations/{id}/invalidate': {
    post: {
      operationId: 'invalidateEvaluation',
      summary: 'Keeps it from being compared with; what was decided by it stays',
      parameters: [evaluationId],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['reason'],
              properties: { reason: { type: 'string', minLength: 1, maxLength: 2000 } },
            },
          },
        },
      },
      responses: { 200: json(ref('Evaluation'), 'The evaluation as it is now'), default: problem },
    },
  },
});

export const evaluationSchemas = {
  Evaluation: {
    type: 'object',
    required: ['id', 'project', 'stage', 'service', 'context', 'state'],
    properties: {
      id: text,
      project: text,
      stage: text,
      service: text,
      version: { type: 'string', description: 'what ran, as its image calls it' },
      context: { type: 'string', description: 'of the change; an evaluation on demand has its own' },
      state: { enum: ['running', 'finished'] },
      status: { enum: ['succeeded', 'errored', 'aborted'], description: 'errored: nothing was judged' },
      result: { enum: ['pass', 'warning', 'fail'] },
      score: { type: 'number', minimum: 0, maximum: 100 },
      message: text,
      revision: text,
      period: { type: 'object', required: ['start', 'end'], properties: { start: time, end: time } },
      requestedBy: text,
      requestedAt: time,
      finishedAt: time,
      waitingFor: { type: 'object', required: ['kind', 'sentence'], properties: { kind: text, sentence: text } },
      labels: { type: 'object', additionalProperties: text },
      again: { type: 'string', description: 'the evaluation that was done again' },
      invalidated: invalidation,
      files: {
        type: 'array',
        items: { type: 'object', required: ['path', 'sha256'], properties: { path: text, sha256: text } },
      },
      evaluation: {
        type: 'object',
        description: 'objectives with values, targets and points, and what they were compared with',
        additionalProperties: true,
      },
    },
  },
} as const;
