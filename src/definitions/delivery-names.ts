import Type, { type TProperties } from 'typebox';

/** More stages than this is a mistake, or an attempt to keep us busy. */
export const MAX_STAGES = 50;

/** An object without any other properties. */
export const closed = <P extends TProperties>(properties: P, options: { description?: string } = {}) =>
  Type.Object(properties, { ...options, additionalProperties: false });

/** Of a project, a stage or a service. */
export const Name = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,62}$',
  description: 'a name (a lower-case letter, then lower-case letters, digits and "-", at most 63)',
});

export const File = Type.String({
  format: 'relative-file',
  description: 'a file in the folder of delivery.yaml or below it, such as slo.yaml',
});
