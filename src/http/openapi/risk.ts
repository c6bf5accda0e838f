import { json, query, ref, text } from './parts.ts';

/** The part of the API's document about risk. */
export const riskPaths = (problem: object) => ({
  '/api/v1/risk': {
    get: {
      operationId: 'readRisk',
      summary: 'How the risk of a project is estimated, and how well that went',
      parameters: [{ ...query('project', 'which project'), required: true }],
      responses: { 200: json(ref('Risk'), 'Model and calibration'), default: problem },
    },
  },
});

export const riskSchemas = {
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
} as const;
