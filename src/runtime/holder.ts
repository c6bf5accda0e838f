import type { Rights } from '../base/rights.ts';
import type { Secret } from '../base/secret.ts';
import type { MadeBy } from '../events/types.ts';

/** Who a request acts as. */
export interface Holder extends Rights {
  /** Unique among all holders, and never somebody else's later. */
  id: string;
  name: string;
  groups: readonly string[];
  /** What stands for their mail address, where the provider vouches for it. */
  mail?: string;
  method: MadeBy['method'];
  identity?: MadeBy['identity'];
}

/** A token of lynceus.yaml. */
export interface TokenHolder {
  name: string;
  token: Secret;
  groups: readonly string[];
  rights: Rights;
}

/** A token that somebody may act with: as themselves, by name. */
export function holderOfToken({ name, groups, rights }: Omit<TokenHolder, 'token'>, id = name): Holder {
  return { id, name, groups, ...rights, method: 'token' };
}
