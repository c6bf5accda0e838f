import type { Clock } from '../base/clock.ts';
import { newId, sha256 } from '../base/ids.ts';
import { randomSecret } from '../base/secret.ts';
import type { Credential, CredentialStore } from '../store/credentials.ts';
import type { ClaimedJob, NewJob, Store } from '../store/store.ts';

const KIND = 'session';
/** Whoever is away for so long signs in again. */
const IDLE_MS = 12 * 3_600_000;
/** Rights and names are as they were at the sign-in: no session is older. */
const LONGEST_MS = 7 * 86_400_000;
/** A session is written down as used this often at most. */
const NOTED_MS = 5 * 60_000;
const MAX_LISTED = 1000;
const PURGE_MS = 3_600_000;

/** Who signed in, and how. */
export type SessionOwner = { name: string; groups: readonly string[] } & (
  | { via: 'provider'; issuer: string; subject: string; mail?: string }
  /** With an API token: the session may what the token may, while it is good. */
  | { via: 'token'; hash: string }
  | { via: 'first-run' }
);

export interface SessionView {
  id: string;
  name: string;
  via: SessionOwner['via'];
  /** ISO 8601. */
  createdAt: string;
  usedAt: string;
  expiresAt: string;
}

/** Sessions of browsers; what is in the store counts, on every replica at once. */
export interface Sessions {
  /** The secret goes into a cookie and nowhere else. */
  open(owner: SessionOwner): Promise<string>;
  /** `isUse`: somebody is there, so that it lasts from now on. */
  find(secret: string, isUse: boolean): Promise<SessionOwner | undefined>;
  end(secret: string): Promise<void>;
  list(): Promise<SessionView[]>;
  /** False: there was none. */
  revoke(id: string): Promise<boolean>;
}

export function createSessions(credentials: CredentialStore, clock: Clock): Sessions {
  const now = () => clock.now().getTime();

  async function noteUse(credential: Credential): Promise<void> {
    const usedAt = now();
    if (usedAt - credential.usedAt < NOTED_MS) return;
    await credentials.touch({ ...credential, usedAt, expiresAt: endOf(credential.createdAt, usedAt) });
  }

  return {
    async open(owner) {
      const secret = randomSecret();
      const createdAt = now();
      await credentials.add({
        kind: KIND,
        id: newId(),
        hash: sha256(secret),
        createdAt,
        usedAt: createdAt,
        expiresAt: endOf(createdAt, createdAt),
        data: { ...owner, groups: [...owner.groups] },
      });
      return secret;
    },
    async find(secret, isUse) {
      const credential = await credentials.find(KIND, sha256(secret), now());
      if (!credential) return undefined;
      if (isUse) await noteUse(credential);
      return ownerOf(credential);
    },
    async end(secret) {
      await credentials.take(KIND, sha256(secret), 0);
    },
    list: async () => (await credentials.list(KIND, now(), MAX_LISTED)).map(viewOf),
    revoke: (id) => credentials.remove(KIND, id),
  };
}

/** Work that removes what has expired, on one replica at a time. */
export const purgeJob: NewJob = { queue: 'purge', key: 'credentials', keepPayload: true };

export async function purgeCredentials(
  { store, clock }: { store: Store; clock: Clock },
  job: ClaimedJob,
): Promise<void> {
  await store.credentials.purge(clock.now().getTime());
  await store.commit({ claim: job, settle: { kind: 'again', delayMs: PURGE_MS } });
}

function endOf(createdAt: number, usedAt: number): number {
  return Math.min(createdAt + LONGEST_MS, usedAt + IDLE_MS);
}

function ownerOf({ data }: Credential): SessionOwner {
  return data as unknown as SessionOwner;
}

function viewOf(credential: Credential): SessionView {
  const { name, via } = ownerOf(credential);
  const { id, createdAt, usedAt, expiresAt } = credential;
  const [created, used, expires] = [createdAt, usedAt, expiresAt].map((ms) => new Date(ms).toISOString());
  return { id, name, via, createdAt: String(created), usedAt: String(used), expiresAt: String(expires) };
}
