import Type from 'typebox';
import { expect, it, vi } from 'vitest';
import { schemas } from '../../src/base/schemas.ts';

it('a schema is compiled for the first value, and only then', () => {
  const prepare = vi.fn();
  const validator = schemas({ allErrors: true }, prepare)<{ a: number }>(Type.Object({ a: Type.Number() }));
  expect(prepare).not.toHaveBeenCalled();
  expect(validator()({ a: 1 })).toBe(true);
  expect(validator()({ a: 'one' })).toBe(false);
  expect(validator().errors?.[0]?.instancePath).toBe('/a');
  expect(validator()).toBe(validator());
  expect(prepare).toHaveBeenCalledTimes(1);
});

it('a schema with words that nobody knows is refused', () => {
  const validator = schemas({})({ type: 'object', propertees: {} });
  expect(() => validator()).toThrow('unknown keyword');
});
