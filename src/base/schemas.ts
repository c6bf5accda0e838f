import { Ajv2020, type AnySchemaObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';

/**
 * Compiles schemas of ours when the first value comes that they are for: a process that starts, and even more a command,
 * needs few of them, and each takes milliseconds and memory. They are built with TypeBox, whose types leave no room for
 * what is no schema: to check them by the schema of schemas would take as long again.
 */
export function schemas(options: Options, prepare: (ajv: Ajv2020) => void = () => {}) {
  let ajv: Ajv2020 | undefined;

  function compiler(): Ajv2020 {
    if (ajv) return ajv;
    ajv = new Ajv2020({ strict: true, ...options, validateSchema: false });
    prepare(ajv);
    return ajv;
  }

  return function check<T>(schema: AnySchemaObject): () => ValidateFunction<T> {
    let compiled: ValidateFunction<T> | undefined;
    return () => {
      compiled ??= compiler().compile<T>(schema);
      return compiled;
    };
  };
}
