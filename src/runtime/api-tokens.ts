import type { Clock } from '../base/clock.ts';
import { derivedId, sha256 } from '../base/ids.ts';
import { type NamedRights, rightsNamed } from '../base/rights.ts';
import { randomSecret } from '../base/secret.ts';
import type { Credential, CredentialStore } from '../store/credentials.ts';
import { type Holder, holderOfToken } from './holder.ts';

/** Recognisable where it should not be: in a commit, a log, a chat. */
const PREFIX = 'lyn_';
const SHAPE = /^lyn_[\w-]{43}$/;
const KIND = 'token';
const DAY_MS = 86_400_000;
export const USUAL_TOKEN_DAYS = 90;
export const MAX_TOKEN_DAYS = 366;
const MAX_LISTED = 1000;

/** What a token is to be. */
export interface TokenWish extends NamedRights {
  name: string;
  groups?: readonly string[];
  lastsMs: number;
}

/** A token as lists show it: never the token itself. */
export interface TokenView extends NamedRights {
  id: string;
  name: string;
  groups: readonly string[];
  /** Who made it. */
  madeBy: string;
  /** ISO 8601. */
  createdAt: string;
  expiresAt: string;
  /** The day, as YYYY-MM-DD; absent: never. */
  lastUsed?: string;
}

/** Tokens that are made while the service runs. */
export interface ApiTokens {
  /** The token is handed out this once. `undefined`: one of that name is there. */
  create(wish: TokenWish, madeBy: string): Promise<{ token: string; view: TokenView } | undefined>;
  list(): Promise<TokenView[]>;
  /** False: there was none. */
  revoke(id: string): Promise<boolean>;
  find(token: string): Promise<Holder | undefined>;
  findByHash(hash: string): Promise<Holder | undefined>;
}

export function createApiTokens(credentials: CredentialStore, clock: Clock): ApiTokens {
  const now = () => clock.now().getTime();

  /** A day is known precisely enough, and costs one write. */
  async function noteUse(credential: Credential): Promise<void> {
    const today = now();
    if (isUsed(credential) && dayOf(credential.usedAt) === dayOf(today)) return;
    await credentials.touch({ ...credential, usedAt: Math.max(today, credential.createdAt + 1) });
  }

  async function findByHash(hash: string): Promise<Holder | undefined> {
    const credential = await credentials.find(KIND, hash, now());
    if (!credential) return undefined;
    await noteUse(credential);
    const { name, groups, rights } = dataOf(credential);
    return holderOfToken({ name, groups, rights: rightsNamed(rights) }, `token/${credential.id}`);
  }

  return {
    async create({ name, groups = [], lastsMs, ...rights }, madeBy) {
      const token = PREFIX + randomSecret();
      const createdAt = now();
      const credential: Credential = {
        kind: KIND,
        // From the name: two of one name would be taken for each other in the log.
        id: derivedId(KIND, name),
        hash: sha256(token),
        createdAt,
        usedAt: createdAt,
        expiresAt: createdAt + lastsMs,
        data: JSON.parse(JSON.stringify({ name, groups, rights, madeBy })),
      };
      return (await credentials.add(credential)) ? { token, view: viewOf(credential) } : undefined;
    },
    list: async () => (await credentials.list(KIND, now(), MAX_LISTED)).map(viewOf),
    revoke: (id) => credentials.remove(KIND, id),
    find: async (token) => (SHAPE.test(token) ? findByHash(sha256(token)) : undefined),
    findByHash,
  };
}

interface TokenData {
  name: string;
  groups: string[];
  rights: NamedRights;
  madeBy: string;
}

function dataOf({ data }: Credential): TokenData {
  return data as unknown as TokenData;
}

function viewOf(credential: Credential): TokenView {
  const { name, groups, rights, madeBy } = dataOf(credential);
  const { id, createdAt, expiresAt, usedAt } = credential;
  return {
    id,
    name,
    groups,
    ...rights,
    madeBy,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    ...(isUsed(credential) ? { lastUsed: dayOf(usedAt) } : {}),
  };
}

function isUsed({ createdAt, usedAt }: Credential): boolean {
  return usedAt > createdAt;
}

function dayOf(ms: number): string {
  return new Date(Math.floor(ms / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
}
