import { ShortReport } from './short-form.ts';

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const problem = {
  description: 'Refused; see code',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** What pipelines send, in the API's document. */
export const reportPaths = {
  '/api/v1/reports/check': {
    post: {
      operationId: 'checkReport',
      summary: 'What a report or CDEvent would come to; nothing is kept',
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: { $ref: '#/components/schemas/Report' } },
          'application/cloudevents+json': { schema: { type: 'object' } },
        },
      },
      responses: {
        200: {
          description: 'What it is joined to',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/ReportCheck' } } },
        },
        default: problem,
      },
    },
  },
} as const;

export const reportSchemas = {
  Report: JSON.parse(JSON.stringify(ShortReport)) as object,
  ReportCheck: {
    type: 'object',
    required: ['understood', 'changes', 'others', 'reports'],
    properties: {
      understood: { type: 'boolean', description: 'false: it says nothing about a change' },
      changes: { ...texts, description: 'ids of delivered changes that it belongs to' },
      others: { ...texts, description: 'services that what it names belongs to, though it says another one' },
      reports: { type: 'integer', description: 'how many reports are known that it hangs together with' },
      own: { ...text, description: 'id of the row of its own until it is delivered' },
      advice: {
        type: 'object',
        description: 'present: it can be joined to nothing',
        required: ['what', 'remedy'],
        properties: { what: text, remedy: text },
      },
    },
  },
} as const;
