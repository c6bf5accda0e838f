import { json, query, ref, text } from './parts.ts';

/** The part of the API's document about the event log, read and written. */
export const eventPaths = (problem: object) => ({
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
      summary: 'Takes CloudEvents: structured, binary or a batch; durable when answered, a repeated one is taken once',
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
});

export const eventSchemas = {
  Event: {
    type: 'object',
    description: 'a CloudEvent; sequencenumber, stream and streamversion are columns of the log, absent from CDEvents',
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
} as const;
