import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { AdapterError } from '../base/adapter-error.ts';
import { clip } from '../base/clip.ts';
import type { Application } from '../events/application.ts';

/** What runs once a change is deployed; `unknown`: why that cannot be told, which fails nothing. */
export async function deployedImages(
  system: DeliverySystem,
  application: Application,
  signal: AbortSignal,
): Promise<{ images: string[]; unknown?: string }> {
  if (application.images.length > 0 || !system.images) return { images: application.images };
  try {
    return { images: await system.images(application.ref, { signal }) };
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason === 'cancelled') throw error;
    return { images: [], unknown: clip(`its images are not known: ${error.message}`) };
  }
}
