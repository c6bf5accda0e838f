import { questionSchema } from './question.ts';

const problem = {
  description: 'Refused; see code',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
const json = (schema: object, description: string) => ({ description, content: { 'application/json': { schema } } });
const text = { type: 'string' };
const inPath = (name: string, description: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: text,
});
const body = (schema: object) => ({ required: true, content: { 'application/json': { schema } } });
const answer = json({ $ref: '#/components/schemas/GateAnswer' }, 'Yes, no and not yet alike: result says which');

const ask = (operationId: string, summary: string, schema: object) => ({
  post: { operationId, summary, requestBody: body(schema), responses: { 200: answer, default: problem } },
});

const token = inPath('token', 'an API token: its holder is who asks');
const hook = (operationId: string, summary: string, responses: Record<number, string>) => ({
  post: {
    operationId,
    summary,
    security: [],
    parameters: [token],
    requestBody: body({ $ref: '#/components/schemas/FlaggerPayload' }),
    responses: {
      ...Object.fromEntries(Object.entries(responses).map(([status, description]) => [status, { description }])),
      400: { description: 'Not what Flagger sends, in words' },
      default: problem,
    },
  },
});
const GOES_ON = { 200: 'Goes on', 403: 'Does not go on; the text says why' };
const flagger = (path: string) => `/api/v1/integrations/flagger/{token}/${path}`;
const KAYENTA = '/api/v1/integrations/kayenta';

/** What the gates add to the API's document. */
export const gatePaths = {
  '/api/v1/gates/evaluate': ask('askGate', 'Asks whether a change or a service is good enough', questionSchema),
  '/api/v1/integrations/argo-rollouts/evaluate': ask('askForArgoRollouts', 'The gate as a web metric', questionSchema),
  '/api/v1/integrations/kargo/evaluate': ask('askForKargo', "The gate for Kargo's http step", {
    ...questionSchema,
    properties: { ...questionSchema.properties, promotion: text, freight: text },
  }),
  '/api/v1/integrations/gitops-promoter/{app}/{branch}/{sha}': {
    get: {
      operationId: 'askForPromoter',
      summary: "The gate for GitOps Promoter's WebRequestCommitStatus; the same for a branch and commit",
      parameters: [
        inPath('app', 'name of the application'),
        inPath('branch', 'environment branch'),
        inPath('sha', 'its commit'),
      ],
      responses: { 200: answer, default: problem },
    },
  },
  [`${KAYENTA}/canaryConfig`]: {
    get: {
      operationId: 'listCanaryConfigs',
      summary: 'Places as Kayenta configurations, by the name of an application or service',
      parameters: [{ name: 'application', in: 'query', description: 'only of this', schema: text }],
      responses: {
        200: json({ type: 'array', items: { $ref: '#/components/schemas/CanaryConfigItem' } }, 'Configurations'),
        default: problem,
      },
    },
  },
  [`${KAYENTA}/canary/{id}`]: {
    post: {
      operationId: 'startCanary',
      summary: 'Starts an evaluation as a canary',
      parameters: [inPath('id', 'id of a configuration')],
      requestBody: body({ type: 'object', required: ['thresholds'] }),
      responses: {
        200: json(
          { type: 'object', required: ['canaryExecutionId'], properties: { canaryExecutionId: text } },
          'Begun',
        ),
        default: problem,
      },
    },
    get: {
      operationId: 'readCanary',
      summary: 'A canary with its score, once it is complete',
      parameters: [inPath('id', 'canaryExecutionId of the start')],
      responses: { 200: json({ $ref: '#/components/schemas/CanaryExecution' }, 'As it is now'), default: problem },
    },
  },
  [`${KAYENTA}/judge`]: {
    post: {
      operationId: 'judgeCanary',
      summary: "Kayenta's remote judge",
      requestBody: body({ type: 'object', required: ['canaryConfig', 'scoreThresholds', 'metricSetPairList'] }),
      responses: {
        200: json({ type: 'object', required: ['judgeName', 'results', 'groupScores', 'score'] }, 'CanaryJudgeResult'),
        default: problem,
      },
    },
  },
  '/api/v1/integrations/prometheus/api/v1/query': {
    get: {
      operationId: 'queryGate',
      summary: 'slo_gate_score as a Prometheus query',
      parameters: [{ name: 'query', in: 'query', required: true, description: 'vector(1), or a score', schema: text }],
      responses: {
        200: json({ $ref: '#/components/schemas/PrometheusAnswer' }, 'At most one value'),
        400: json({ $ref: '#/components/schemas/PrometheusAnswer' }, 'Not a query that it knows'),
        default: problem,
      },
    },
  },
  [flagger('confirm-rollout')]: hook('flaggerConfirmRollout', 'Before a canary is scaled up', GOES_ON),
  [flagger('pre-rollout')]: hook('flaggerPreRollout', 'Before traffic is routed', GOES_ON),
  [flagger('rollout')]: hook('flaggerRollout', 'At every step of the analysis', GOES_ON),
  [flagger('confirm-traffic-increase')]: hook('flaggerTrafficIncrease', 'Before more traffic', GOES_ON),
  [flagger('confirm-promotion')]: hook('flaggerConfirmPromotion', 'Before a canary is promoted', GOES_ON),
  [flagger('rollback')]: hook('flaggerRollback', 'Inverted: 200 rolls back', { 200: 'Roll back', 403: 'Carry on' }),
  [flagger('post-rollout')]: hook('flaggerPostRollout', 'Reports the end; kept in the log', { 200: 'Kept' }),
  [flagger('event')]: hook('flaggerEvent', 'Reports an event; kept in the log', { 200: 'Kept' }),
  [flagger('gate/approve')]: hook('flaggerGateApprove', 'Always open', GOES_ON),
  [flagger('gate/halt')]: hook('flaggerGateHalt', 'Always closed', GOES_ON),
  [flagger('gate/check')]: hook('flaggerGateCheck', 'Whether the gate was opened', GOES_ON),
  [flagger('gate/open')]: hook('flaggerGateOpen', 'Opens the gate; a decision', { 202: 'Open' }),
  [flagger('gate/close')]: hook('flaggerGateClose', 'Closes the gate; a decision', { 202: 'Closed' }),
  [flagger('rollback/check')]: hook('flaggerRollbackCheck', 'Whether a rollback was ordered', {
    200: 'Roll back',
    403: 'Carry on',
  }),
  [flagger('rollback/open')]: hook('flaggerRollbackOpen', 'Orders a rollback; a decision', { 202: 'Ordered' }),
  [flagger('rollback/close')]: hook('flaggerRollbackClose', 'Takes the order back; a decision', { 202: 'Taken back' }),
};

export const gateSchemas = {
  GateAnswer: {
    type: 'object',
    required: ['result', 'phase', 'score', 'reason', 'url', 'complete'],
    properties: {
      result: { enum: ['pass', 'warning', 'fail', 'running', 'error'], description: 'error: could not be judged' },
      phase: { enum: ['success', 'pending', 'failure'], description: 'the same for GitOps Promoter' },
      score: { type: 'number', minimum: 0, maximum: 100 },
      reason: text,
      url: { type: 'string', format: 'uri' },
      complete: { type: 'boolean', description: 'waiting will not change it' },
    },
  },
  FlaggerPayload: {
    type: 'object',
    required: ['name', 'namespace'],
    properties: {
      name: text,
      namespace: text,
      phase: text,
      checksum: text,
      metadata: { type: 'object', additionalProperties: text },
    },
  },
  CanaryConfigItem: {
    type: 'object',
    required: ['id', 'name', 'applications'],
    properties: {
      id: text,
      name: text,
      updatedTimestamp: { type: 'integer' },
      updatedTimestampIso: text,
      applications: { type: 'array', items: text },
    },
  },
  CanaryExecution: {
    type: 'object',
    required: ['complete'],
    properties: {
      complete: { type: 'boolean' },
      result: {
        type: 'object',
        required: ['judgeResult'],
        properties: {
          judgeResult: {
            type: 'object',
            required: ['score'],
            properties: {
              score: {
                type: 'object',
                required: ['score', 'classification', 'classificationReason'],
                properties: { score: { type: 'number' }, classification: text, classificationReason: text },
              },
            },
          },
        },
      },
    },
  },
  PrometheusAnswer: {
    type: 'object',
    required: ['status'],
    properties: {
      status: { enum: ['success', 'error'] },
      errorType: text,
      error: text,
      data: {
        type: 'object',
        required: ['resultType', 'result'],
        properties: {
          resultType: { const: 'vector' },
          result: {
            type: 'array',
            items: {
              type: 'object',
              required: ['metric', 'value'],
              properties: { metric: { type: 'object' }, value: { type: 'array', minItems: 2, maxItems: 2 } },
            },
          },
        },
      },
    },
  },
};
