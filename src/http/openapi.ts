import { Router } from 'express';
import type { Authentication } from './authentication.ts';
import { connectionsPaths, connectionsSchemas } from './connections-openapi.ts';
import { evaluationRequestSchema } from './evaluation-request.ts';
import { fleetPaths, fleetSchemas } from './fleet-openapi.ts';
import { forecastPaths, forecastSchemas } from './forecast-openapi.ts';
import { gatePaths, gateSchemas } from './gates/openapi.ts';
import { gitWebhookPaths } from './git-webhooks-openapi.ts';
import { changesPaths, changesSchemas, findPaths, rebuildPaths } from './openapi/changes.ts';
import { livePaths } from './openapi/live.ts';
import { PROBLEM_TITLES } from './problem.ts';
import { reportPaths, reportSchemas } from './reports/openapi.ts';
import { stopTheLinePaths, stopTheLineSchemas } from './stop-the-line-openapi.ts';
import { tokenPaths, tokenSchemas } from './tokens-openapi.ts';

const problem = {
  description: 'Refused; see code',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
const json = (schema: object, description: string) => ({ description, content: { 'application/json': { schema } } });
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const query = (name: string, description: string, schema: object = { type: 'string' }) => ({
  name,
  in: 'query',
  description,
  schema,
});
const id = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'context id of the change',
  schema: { type: 'string' },
};
const text = { type: 'string' };
const evaluationId = { ...id, description: 'id of the evaluation' };
const wait = query('wait', 'waits so long for the end, at most 60s', { type: 'string', examples: ['30s'] });
const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'the same key of the same holder at the same place is the same evaluation; with another body it is refused',
  schema: text,
};
const evaluationAnswers = {
  200: json(ref('Evaluation'), 'Finished'),
  202: json(ref('Evaluation'), 'Under way; Location says where to look'),
};
const time = { type: 'string', format: 'date-time' };
const invalidation = {
  type: 'object',
  description: 'present when it is not compared with any more',
  required: ['actor', 'reason', 'at'],
  properties: { actor: text, reason: text, at: time },
};

/** The API as a document; test/http/openapi.test.ts holds routes and answers to it. */
export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'Lynceus',
    version: '1',
    description: 'Gates, tests, SLO evaluations and promotion pull requests beside Argo CD and Flux.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  security: [{ token: [] }],
  paths: {
    ...changesPaths(problem),
    ...findPaths(problem),
    ...rebuildPaths(problem),
    ...livePaths(problem),
    '/api/v1/changes/{id}/decisions': {
      post: {
        operationId: 'decide',
        summary: 'Approve, reject, pause, resume or abort; bound to the commit that was looked at',
        parameters: [
          id,
          { name: 'Idempotency-Key', in: 'header', description: 'the same key is the same decision', schema: text },
        ],
        requestBody: { required: true, content: { 'application/json': { schema: ref('Decision') } } },
        responses: { 201: json(ref('Change'), 'Recorded; the change as it is now'), default: problem },
      },
    },
    '/api/v1/events': {
      get: {
        operationId: 'readEvents',
        summary: 'The event log in global order',
        parameters: [
          query('stream', 'only this stream, e.g. sequence/<id> or inbox'),
          query('format', 'cdevents: those of sequences in the words of CDEvents 0.5.1', {
            enum: ['lynceus', 'cdevents'],
            default: 'lynceus',
          }),
          query('after', 'only events after this sequence number', { type: 'integer', minimum: 0 }),
          query('limit', 'page size', { type: 'integer', minimum: 1, maximum: 1000, default: 50 }),
        ],
        responses: {
          200: json(
            {
              type: 'object',
              required: ['events'],
              properties: { events: { type: 'array', items: ref('Event') }, next: { type: 'integer' } },
            },
            'CloudEvents',
          ),
          default: problem,
        },
      },
      post: {
        operationId: 'receiveEvent',
        summary:
          'Takes CloudEvents: structured, binary or a batch; durable when answered, a repeated one is taken once',
        requestBody: {
          required: true,
          content: {
            'application/cloudevents+json': { schema: { type: 'object' } },
            'application/cloudevents-batch+json': {
              schema: { type: 'array', maxItems: 1000, items: { type: 'object' } },
            },
            'application/json': {
              schema: {
                description: 'a report, a CDEvent, or with ce-* headers the data of a CloudEvent',
                anyOf: [ref('Report'), { type: 'object' }],
              },
            },
          },
        },
        responses: { 202: { description: 'Durable' }, default: problem },
      },
    },
    ...connectionsPaths(problem),
    ...fleetPaths(problem),
    ...reportPaths,
    ...stopTheLinePaths(problem),
    ...forecastPaths(problem),
    ...tokenPaths(problem),
    '/api/v1/risk': {
      get: {
        operationId: 'readRisk',
        summary: 'How the risk of a project is estimated, and how well that went',
        parameters: [{ ...query('project', 'which project'), required: true }],
        responses: { 200: json(ref('Risk'), 'Model and calibration'), default: problem },
      },
    },
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
        parameters: [wait, idempotencyKey],
        requestBody: { required: true, content: { 'application/json': { schema: evaluationRequestSchema } } },
        responses: { ...evaluationAnswers, default: problem },
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
        parameters: [evaluationId, wait, idempotencyKey],
        responses: { ...evaluationAnswers, default: problem },
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
    ...gatePaths,
    '/api/v1/openapi.json': {
      get: {
        operationId: 'readApi',
        summary: 'This document',
        responses: { 200: json({ type: 'object', required: ['openapi', 'paths'] }, 'OpenAPI 3.1'), default: problem },
      },
    },
    '/webhooks/argocd': {
      post: {
        operationId: 'receiveArgoCd',
        summary: 'Takes a notification of Argo CD as argocd-notifications/ sends it',
        requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
        responses: { 202: { description: 'Durable' }, default: problem },
      },
    },
    '/webhooks/flux': {
      post: {
        operationId: 'receiveFlux',
        summary: 'Takes an event of Flux as flux-alerts/ sends it, signed or with a token',
        parameters: [
          {
            name: 'X-Signature',
            in: 'header',
            description: 'sha256=<HMAC-SHA256 of the body, keyed with a webhook token of the cluster>',
            schema: { type: 'string', pattern: '^sha256=[0-9a-f]{64}$' },
          },
        ],
        security: [{ token: [] }, {}],
        requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
        responses: { 202: { description: 'Durable' }, default: problem },
      },
    },
    ...gitWebhookPaths(problem),
    '/healthz': {
      get: {
        operationId: 'health',
        summary: 'The process is alive',
        security: [],
        responses: { 200: { description: 'ok' } },
      },
    },
    '/readyz': {
      get: {
        operationId: 'ready',
        summary: 'The store can take events',
        security: [],
        responses: { 200: { description: 'ok' }, default: problem },
      },
    },
    '/metrics': {
      get: {
        operationId: 'metrics',
        summary: 'Prometheus metrics',
        security: [],
        responses: { 200: { description: 'text exposition' } },
      },
    },
  },
  components: {
    securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    schemas: {
      ...gateSchemas,
      ...connectionsSchemas,
      ...fleetSchemas,
      ...reportSchemas,
      ...stopTheLineSchemas,
      ...forecastSchemas,
      ...tokenSchemas,
      Problem: {
        type: 'object',
        required: ['type', 'title', 'status', 'code', 'detail'],
        properties: {
          type: text,
          title: text,
          status: { type: 'integer' },
          code: { enum: Object.keys(PROBLEM_TITLES) },
          detail: text,
          errors: {
            type: 'array',
            description: 'every wrong field; in slo and sli with its line and column',
            items: {
              type: 'object',
              required: ['path', 'message'],
              properties: { path: text, message: text, line: { type: 'integer' }, column: { type: 'integer' } },
            },
          },
          instance: text,
        },
      },
      Risk: {
        type: 'object',
        required: ['project', 'model', 'why', 'fittedAt', 'heldOut', 'calibratedAt', 'calibration'],
        properties: {
          project: text,
          model: {
            type: 'object',
            required: ['id', 'origin', 'intercept', 'coefficients'],
            properties: {
              id: { type: 'string', description: 'hash of intercept and coefficients' },
              origin: { enum: ['default', 'fitted'] },
              intercept: { type: 'number' },
              coefficients: {
                type: 'object',
                description: 'log-odds of each signal at full strength',
                additionalProperties: { type: 'number' },
              },
              overridden: { type: 'array', items: text },
              outcomes: { type: 'integer' },
            },
          },
          why: { type: 'string', description: 'why this model is used' },
          fittedAt: { type: ['string', 'null'], format: 'date-time' },
          heldOut: {
            type: ['object', 'null'],
            properties: {
              count: { type: 'integer' },
              logLossOfDefault: { type: 'number' },
              logLossOfFit: { type: 'number' },
            },
          },
          calibratedAt: { type: ['string', 'null'], format: 'date-time' },
          calibration: {
            type: ['object', 'null'],
            description: 'how predictions of the last 180 days came true',
            properties: {
              count: { type: 'integer' },
              failures: { type: 'integer' },
              baseRate: { type: 'number' },
              brier: { type: 'number' },
              brierOfBaseRate: { type: 'number' },
              skill: { type: ['number', 'null'], description: '1 - brier / brierOfBaseRate' },
              logLoss: { type: 'number' },
              reliability: { type: 'array', items: ref('ReliabilityBucket') },
            },
          },
        },
      },
      ReliabilityBucket: {
        type: 'object',
        description: 'changes whose predicted chance was alike; low and high: 95 % interval of what came true',
        required: ['from', 'to', 'count', 'failures', 'predicted', 'observed', 'low', 'high'],
        properties: {
          from: { type: 'number' },
          to: { type: 'number' },
          count: { type: 'integer' },
          failures: { type: 'integer' },
          predicted: { type: 'number' },
          observed: { type: 'number' },
          low: { type: 'number' },
          high: { type: 'number' },
        },
      },
      Event: {
        type: 'object',
        description:
          'a CloudEvent; sequencenumber, stream and streamversion are columns of the log, absent from CDEvents',
        required: ['specversion', 'id', 'source', 'type', 'time', 'datacontenttype', 'data'],
        properties: {
          specversion: { const: '1.0' },
          id: text,
          source: text,
          type: text,
          subject: text,
          time: text,
          datacontenttype: text,
          sequencenumber: { type: 'integer' },
          stream: text,
          streamversion: { type: 'integer' },
          data: { type: 'object', additionalProperties: true },
        },
      },
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
      ...changesSchemas,
      Decision: {
        type: 'object',
        required: ['verdict', 'reason', 'revision'],
        additionalProperties: false,
        properties: {
          verdict: { enum: ['approve', 'reject', 'pause', 'resume', 'abort', 'override', 'rollback', 'retry', 'sync'] },
          reason: { type: 'string', minLength: 1, maxLength: 2000 },
          revision: { type: 'string', description: 'the commit that was looked at' },
          evidence: { type: 'string', description: 'hash of the evidence that was looked at; refused when it changed' },
          stage: { type: 'string', description: 'where several stages are under way' },
          rev: {
            type: 'integer',
            description:
              'revision of the change that was looked at (`row.rev`); refused (409 `changed`) when it has moved',
          },
          by: {
            enum: ['sync', 'pullRequest'],
            description: 'how to roll back, instead of what the stage says; required where it says nothing',
          },
        },
      },
      Change: {
        type: 'object',
        required: ['id', 'project', 'service', 'revision', 'summary', 'updatedAt', 'stages'],
        properties: {
          id: text,
          project: text,
          service: text,
          revision: text,
          summary: text,
          updatedAt: time,
          stages: { type: 'array', items: ref('Stage') },
        },
      },
      Stage: {
        type: 'object',
        required: ['stage', 'sequence', 'revision', 'status', 'triggeredAt', 'tasks'],
        properties: {
          stage: text,
          sequence: text,
          revision: text,
          revisions: {
            type: 'array',
            items: text,
            description: 'by source of the application, where there are several',
          },
          drySha: { ...text, description: 'what people wrote, where the revision was hydrated from it' },
          status: { enum: ['triggered', 'running', 'waiting', 'finished'] },
          result: { enum: ['pass', 'warning', 'fail'] },
          reason: { enum: ['completed', 'failed', 'superseded', 'aborted', 'timed-out', 'rejected'] },
          message: text,
          by: text,
          score: { type: 'number', minimum: 0, maximum: 100 },
          triggeredAt: time,
          finishedAt: time,
          paused: {
            type: 'object',
            required: ['actor', 'reason'],
            properties: { actor: text, reason: text },
          },
          override: {
            type: 'object',
            description: 'somebody let the commit through, whatever checks and approval say',
            required: ['actor', 'reason', 'at'],
            properties: { actor: text, reason: text, at: time },
          },
          reviews: {
            description: 'present while promotions wait for people at a Git host',
            type: 'array',
            items: {
              type: 'object',
              required: ['number', 'url', 'to', 'head'],
              properties: {
                number: { type: 'integer' },
                url: text,
                to: text,
                head: text,
                repository: text,
                host: text,
              },
            },
          },
          promotions: {
            description: 'by stage that it goes to; absent: it has not come so far',
            type: 'array',
            items: ref('Promotion'),
          },
          canBeTakenUp: { description: 'present: the decision retry is possible', const: true },
          pullRequest: {
            type: 'object',
            required: ['number', 'url', 'to'],
            properties: { number: { type: 'integer' }, url: text, to: text },
          },
          rollback: {
            type: 'object',
            description: 'how the stage goes, or went, back to its last good commit after this change failed there',
            required: ['state'],
            properties: {
              to: text,
              by: { enum: ['sync', 'pullRequest'] },
              state: { enum: ['under way', 'done', 'failed', 'not done'] },
              message: text,
            },
          },
          rollsBack: {
            type: 'object',
            description: 'present: no change of its own, but the revert that the rollback of another one merged',
            required: ['sequence', 'revision', 'to', 'pullRequest'],
            properties: { sequence: text, revision: text, to: text, pullRequest: { type: 'integer' } },
          },
          asked: {
            type: 'object',
            description: 'present: a person asked for it once the change was over; `sequence` is its delivery',
            required: ['what', 'sequence', 'actor', 'reason'],
            properties: { what: { enum: ['rollback', 'override'] }, sequence: text, actor: text, reason: text },
          },
          rollBack: {
            type: 'object',
            description: 'where one change is read: present when a person can have it rolled back now',
            required: ['revision', 'evidence', 'groups', 'ways'],
            properties: {
              revision: text,
              evidence: text,
              groups: { type: 'array', items: text },
              ways: {
                type: 'array',
                items: { enum: ['sync', 'pullRequest'] },
                description: 'one of them has to be named; empty: the stage says how',
              },
            },
          },
          decide: {
            type: 'object',
            description: 'present while a person can decide; revision and evidence go back with the decision',
            required: ['task', 'what', 'quorum', 'groups', 'revision', 'evidence'],
            properties: {
              task: text,
              what: { enum: ['approval', 'promotion', 'rollback'] },
              quorum: { type: 'integer', minimum: 1 },
              groups: { type: 'array', items: text },
              revision: text,
              evidence: text,
            },
          },
          tasks: { type: 'array', items: ref('Task') },
        },
      },
      Promotion: {
        type: 'object',
        required: ['to', 'state'],
        properties: {
          to: text,
          state: { enum: ['waiting', 'open', 'promoted', 'not promoted'] },
          pullRequest: { type: 'integer' },
          url: text,
          message: text,
          drift: {
            type: 'object',
            description: 'what others brought to the branch since the last promotion',
            required: ['commits', 'total'],
            properties: {
              total: { type: 'integer', minimum: 1 },
              commits: {
                type: 'array',
                items: {
                  type: 'object',
                  required: ['sha', 'subject', 'author'],
                  properties: { sha: text, subject: text, author: text },
                },
              },
            },
          },
        },
      },
      Task: {
        type: 'object',
        required: ['task', 'name', 'triggeredAt', 'decisions', 'data'],
        properties: {
          task: text,
          name: text,
          triggeredAt: time,
          finishedAt: time,
          status: { enum: ['succeeded', 'errored', 'aborted'] },
          result: { enum: ['pass', 'warning', 'fail'] },
          message: text,
          waitingFor: {
            type: 'object',
            required: ['kind', 'sentence', 'since'],
            properties: { kind: text, sentence: text, since: time, until: time },
          },
          progress: {
            type: 'object',
            required: ['fraction', 'sentence'],
            properties: { fraction: { type: 'number', minimum: 0, maximum: 1 }, sentence: text },
          },
          decisions: {
            type: 'array',
            items: {
              type: 'object',
              required: ['actor', 'verdict', 'reason', 'at'],
              properties: { actor: text, verdict: text, reason: text, at: time },
            },
          },
          invalidated: invalidation,
          data: {
            type: 'object',
            description: 'what the task found: figures, answers, evaluation',
            additionalProperties: true,
          },
        },
      },
    },
  },
} as const;

export function openApiRoutes(authentication: Authentication): Router {
  const router = Router();
  router.get('/api/v1/openapi.json', authentication.require('read'), (_request, response) => {
    response.json(openApi);
  });
  return router;
}
