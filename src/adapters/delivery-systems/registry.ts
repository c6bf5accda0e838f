import type { AdapterKind } from '../adapter-kind.ts';
import { argocd } from './argocd.ts';
import type { DeliverySystem } from './delivery-system.ts';
import { flux } from './flux.ts';

/** Every kind of delivery system that a configuration may name; a new adapter adds its line here. */
export const deliverySystemKinds: readonly AdapterKind<DeliverySystem>[] = [argocd, flux];
