import type { Registry } from './image-registry.ts';
import { oci } from './oci.ts';

/** Every kind of registry that lynceus.yaml can name. */
export const registryKinds = [oci] as const;

/** The first configured registry that has an image; `undefined`: nobody knows it. */
export function findRegistry(registries: readonly Registry[], image: string): Registry | undefined {
  return registries.find((registry) => registry.serves(image));
}
