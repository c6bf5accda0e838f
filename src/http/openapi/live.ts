const text = { type: 'string' };
const query = (name: string, description: string, schema: object) => ({ name, in: 'query', description, schema });

/** The part of the API's document about live updates. */
export const livePaths = (problem: object) => ({
  '/events': {
    get: {
      operationId: 'listenToEvents',
      summary: 'What is different, as soon as it is (server-sent events); 503: too many listen already',
      parameters: [
        {
          ...query('topics', 'what to hear of, 1 to 64 of them, repeated', { type: 'array', items: text, minItems: 1 }),
          required: true,
          explode: true,
          examples: {
            changes: { value: ['changes:state=waiting&team=payments'], summary: 'rows of a list, by its query string' },
            change: { value: ['change:8c1f'], summary: 'one change' },
            others: { value: ['evaluations:checkout/staging', 'fleet', 'connections'], summary: 'other pages' },
          },
        },
        query('since', 'a position (id of an event): what changed after it comes first', text),
        {
          name: 'Last-Event-ID',
          in: 'header',
          description: 'the same, as browsers send it when they come back; it goes before "since"',
          schema: text,
        },
      ],
      responses: {
        200: {
          description:
            'Events row {topic, id, rev, html, say, gone?}, facets {topic, ids?, facets?, total?, updated}, changed {topic} and reset {topic} (read the page again), beat {at, ok} every 15 s, end {reason}; their id is a position that means the same on every replica',
          content: { 'text/event-stream': { schema: text } },
        },
        default: problem,
      },
    },
  },
});
