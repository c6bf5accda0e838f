export const text = { type: 'string' };
export const time = { type: 'string', format: 'date-time' };
export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
export const json = (schema: object, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
export const query = (name: string, description: string, schema: object = text) => ({
  name,
  in: 'query',
  description,
  schema,
});
export const inPath = (name: string, description: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: text,
});
/** Of a decision, an evaluation: the same key is the same one. */
export const idempotencyKey = (description: string) => ({
  name: 'Idempotency-Key',
  in: 'header',
  description,
  schema: text,
});
/** Why an evaluation is not compared with any more. */
export const invalidation = {
  type: 'object',
  description: 'present when it is not compared with any more',
  required: ['actor', 'reason', 'at'],
  properties: { actor: text, reason: text, at: time },
};
