import type { ErrorObject } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import type { Static, TSchema } from 'typebox';
import { schemas } from '../../base/schemas.ts';
import { Refusal } from '../problem.ts';

const check = schemas({ verbose: true }, (ajv) => ajvFormats.default(ajv, ['date-time']));

const MAX_LINE = 300;

/** A check that answers what it was given, or refuses it with the place that is wrong. */
export function checkFor<T extends TSchema>(schema: T, what: string): (value: unknown) => Static<T> {
  const validator = check<Static<T>>(schema);
  return (value) => {
    const validate = validator();
    if (validate(value)) return value;
    const [path, message] = sayError(validate.errors?.[0]);
    throw new Refusal(400, 'invalid-event', `${what}: ${path === '' ? '' : `${path} `}${message}`, [{ path, message }]);
  };
}

function sayError(error: ErrorObject | undefined): [path: string, message: string] {
  if (!error) return ['', 'is not valid'];
  const at = error.instancePath.slice(1).replaceAll('/', '.');
  const { missingProperty, additionalProperty, allowedValues } = error.params as Record<string, unknown>;
  const own = String(missingProperty ?? additionalProperty ?? '').slice(0, 60);
  const path = [at, own].filter((part) => part !== '').join('.');
  if (missingProperty !== undefined) return [path, 'is missing'];
  if (additionalProperty !== undefined) return [path, 'is not known here'];
  if (Array.isArray(allowedValues)) return [path, `must be one of ${allowedValues.join(', ')}`];
  const { description } = (error.parentSchema ?? {}) as { description?: string };
  const isTold = description !== undefined && error.keyword === 'pattern';
  return [path, !isTold ? (error.message ?? 'is not valid') : `must be ${description}`];
}

/** Words of others on one line of bounded length; empty ones are none. */
export function line(text: string | undefined, max: number = MAX_LINE): string | undefined {
  const clean = text
    ?.toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, max)
    .toWellFormed();
  return clean === '' ? undefined : clean;
}

/** In UTC with milliseconds, never in the future: a clock that is ahead must not outdo everything that comes later. */
export function moment(time: string, now: Date): string {
  const at = Date.parse(time);
  return new Date(Number.isNaN(at) ? now.getTime() : Math.min(at, now.getTime())).toISOString();
}

/** Without the fields that nobody filled in. */
export function given<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
