import { PROBLEM_TITLES } from '../problem.ts';
import { json, text } from './parts.ts';

/** The part of the API's document about the document itself. */
export const documentPaths = (problem: object) => ({
  '/api/v1/openapi.json': {
    get: {
      operationId: 'readApi',
      summary: 'This document',
      responses: { 200: json({ type: 'object', required: ['openapi', 'paths'] }, 'OpenAPI 3.1'), default: problem },
    },
  },
});

/** What delivery systems send. */
export const webhookPaths = (problem: object) => ({
  '/webhooks/argocd': {
    post: {
      operationId: 'receiveArgoCd',
      summary: 'Takes a notification of Argo CD as argocd-notifications/ sends it',
      security: [{ webhookToken: [] }],
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
      security: [{ webhookToken: [] }, {}],
      requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
      responses: { 202: { description: 'Durable' }, default: problem },
    },
  },
});

/** What tells how the process itself is. */
export const operationsPaths = (problem: object) => ({
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
});

export const problemSchemas = {
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
} as const;
