import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Registry } from '../../src/adapters/registries/image-registry.ts';

export interface RegistryWorld {
  registry: Registry;
  /** How manifests name it. */
  host: string;
  push(repository: string, tag: string): Promise<{ image: string; index: string }>;
  /** The same one with a wrong password. */
  stranger: Registry;
  /** Nobody answers there. */
  unreachable: Registry;
  /** Text that must never turn up in an error. */
  secret: string;
  close(): Promise<void>;
}

/** What every registry must do. */
export function registryContract(name: string, createWorld: () => Promise<RegistryWorld>): void {
  describe(`${name} as a registry`, () => {
    let world: RegistryWorld;
    beforeAll(async () => {
      world = await createWorld();
    });
    afterAll(async () => world?.close());

    it('answers what a tag points at: of an index, the index itself', async () => {
      const { image, index } = await world.push('acme/shop', '1.0');
      const name = `${world.host}/acme/shop`;
      expect(await world.registry.digest(name, '1.0')).toBe(index);
      expect(await world.registry.digest(name, '1.0-amd64')).toBe(image);
    });

    it('answers what the tag points at now', async () => {
      const name = `${world.host}/acme/moving`;
      const first = await world.push('acme/moving', 'latest');
      expect(await world.registry.digest(name, 'latest')).toBe(first.index);
      const second = await world.push('acme/moving', 'latest');
      expect(second.index).not.toBe(first.index);
      expect(await world.registry.digest(name, 'latest')).toBe(second.index);
    });

    it('answers nothing for a tag or an image that is not there', async () => {
      await world.push('acme/shop', '2.0');
      expect(await world.registry.digest(`${world.host}/acme/shop`, '9.9')).toBeUndefined();
      expect(await world.registry.digest(`${world.host}/acme/nothing`, '1.0')).toBeUndefined();
    });

    it('serves its own images only', () => {
      expect(world.registry.serves(`${world.host}/acme/shop`)).toBe(true);
      expect(world.registry.serves('ghcr.io/acme/shop')).toBe(false);
      expect(world.registry.serves('nginx')).toBe(false);
    });

    it.each(['acme/../secret', 'acme//x', 'Acme/x', '', 'a b', 'acme/x?y'])(
      'never asks for an image named %j',
      async (one) => {
        await expect(world.registry.digest(`${world.host}/${one}`, '1.0')).rejects.toMatchObject({
          reason: 'rejected',
        });
      },
    );

    it.each(['', '../x', 'a/b', 'a b', '-a', 'x'.repeat(129)])('never asks for a tag named %j', async (tag) => {
      await expect(world.registry.digest(`${world.host}/acme/shop`, tag)).rejects.toMatchObject({ reason: 'rejected' });
    });

    it('says that a login is not taken, without showing it', async () => {
      const error = await world.stranger.digest(`${world.host}/acme/shop`, '1.0').then(String, (one: Error) => one);
      expect(error).toMatchObject({ reason: 'unauthenticated' });
      expect(String(error)).not.toContain(world.secret);
      expect(await world.stranger.diagnose?.()).toMatchObject([{ level: 'problem' }]);
    });

    it('that cannot be reached says so', async () => {
      await expect(world.unreachable.digest('127.0.0.1:1/acme/shop', '1.0')).rejects.toMatchObject({
        reason: 'unavailable',
      });
    });

    it('is well when it answers', async () => {
      expect(await world.registry.diagnose?.()).toMatchObject([{ level: 'ok' }]);
    });

    it('gives up when it is told to', async () => {
      const signal = AbortSignal.abort();
      await expect(world.registry.digest(`${world.host}/acme/shop`, '1.0', { signal })).rejects.toMatchObject({
        reason: 'cancelled',
      });
    });
  });
}
