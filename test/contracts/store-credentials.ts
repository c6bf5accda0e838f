import { describe, expect, it } from 'vitest';
import type { Credential } from '../../src/store/credentials.ts';
import { InvalidEventError } from '../../src/store/store.ts';
import type { OpenedStore } from './store.ts';

let counter = 0;

function aCredential(fields: Partial<Credential> = {}): Credential {
  counter += 1;
  return {
    kind: `kind-${counter}`,
    id: `id-${counter}`,
    hash: `hash-${counter}`,
    createdAt: 1_000,
    usedAt: 1_000,
    expiresAt: 2_000,
    data: { name: 'Ada “A” Lovelace\n' },
    ...fields,
  };
}

/** What every store promises about what people and programs prove themselves with. */
export function credentialsContract(opened: () => OpenedStore): void {
  const credentials = () => opened().store.credentials;

  describe('credentials', () => {
    it('are found by kind and hash until they expire', async () => {
      const one = aCredential();
      expect(await credentials().add(one)).toBe(true);
      expect(await credentials().find(one.kind, one.hash, 1_999)).toEqual(one);
      expect(await credentials().find(one.kind, one.hash, 2_000)).toBeUndefined();
      expect(await credentials().find('another-kind', one.hash, 1_500)).toBeUndefined();
      expect(await credentials().find(one.kind, one.id, 1_500)).toBeUndefined();
    });

    it('are there once per id, and an expired one gives way', async () => {
      const one = aCredential();
      const another = { ...one, hash: `${one.hash}-other`, createdAt: 1_999, usedAt: 1_999, expiresAt: 9_000 };
      expect(await credentials().add(one)).toBe(true);
      expect(await credentials().add(another)).toBe(false);
      expect(await credentials().find(one.kind, one.hash, 1_500)).toEqual(one);
      expect(await credentials().add({ ...another, createdAt: 2_000 })).toBe(true);
      expect(await credentials().find(one.kind, one.hash, 1_500)).toBeUndefined();
    });

    it('are made by one of many who try', async () => {
      const one = aCredential();
      const tries = Array.from({ length: 8 }, (_, at) => credentials().add({ ...one, hash: `${one.hash}-${at}` }));
      expect((await Promise.all(tries)).filter((made) => made)).toHaveLength(1);
    });

    it('are taken by one of many who try', async () => {
      const one = aCredential();
      await credentials().add(one);
      const tries = Array.from({ length: 8 }, () => credentials().take(one.kind, one.hash, 1_500));
      expect((await Promise.all(tries)).filter((found) => found !== undefined)).toEqual([one]);
      expect(await credentials().find(one.kind, one.hash, 1_500)).toBeUndefined();
    });

    it('are not taken once they have expired', async () => {
      const one = aCredential();
      await credentials().add(one);
      expect(await credentials().take(one.kind, one.hash, 2_000)).toBeUndefined();
    });

    it('live on when they are used, and stay gone when they are removed', async () => {
      const one = aCredential();
      await credentials().add(one);
      await credentials().touch({ ...one, usedAt: 1_500, expiresAt: 2_500 });
      expect(await credentials().find(one.kind, one.hash, 2_400)).toEqual({ ...one, usedAt: 1_500, expiresAt: 2_500 });
      // A slow replica that saw it earlier shortens nothing.
      await credentials().touch({ ...one, usedAt: 1_200, expiresAt: 2_200 });
      expect((await credentials().find(one.kind, one.hash, 2_400))?.usedAt).toBe(1_500);
      expect(await credentials().remove(one.kind, one.id)).toBe(true);
      await credentials().touch({ ...one, usedAt: 1_600, expiresAt: 2_600 });
      expect(await credentials().find(one.kind, one.hash, 1_700)).toBeUndefined();
      expect(await credentials().remove(one.kind, one.id)).toBe(false);
    });

    it('are listed newest first, without those that have expired', async () => {
      const first = aCredential();
      const second = aCredential({ kind: first.kind, createdAt: 1_100 });
      const expired = aCredential({ kind: first.kind, expiresAt: 1_200 });
      for (const one of [first, second, expired]) await credentials().add(one);
      expect(await credentials().list(first.kind, 1_200, 10)).toEqual([second, first]);
      expect(await credentials().list(first.kind, 1_200, 1)).toEqual([second]);
    });

    it('are removed for good when they have expired', async () => {
      const [old, young] = [aCredential({ expiresAt: 1_100 }), aCredential({ expiresAt: 9_999 })];
      for (const one of [old, young]) await credentials().add(one);
      expect(await credentials().purge(1_100)).toBeGreaterThanOrEqual(1);
      expect(await credentials().find(old.kind, old.hash, 0)).toBeUndefined();
      expect(await credentials().find(young.kind, young.hash, 0)).toEqual(young);
    });

    it('have names that every store can keep', async () => {
      await expect(credentials().add(aCredential({ id: 'a\u0000b' }))).rejects.toThrow(InvalidEventError);
      await expect(credentials().add(aCredential({ id: '' }))).rejects.toThrow(InvalidEventError);
    });
  });
}
