import { timingSafeEqual } from 'node:crypto';
import type { Identity, SignInProvider } from '../adapters/sign-in/sign-in-provider.ts';
import type { Clock } from '../base/clock.ts';
import { sha256Bytes } from '../base/ids.ts';
import { mailId } from '../base/mail.ts';
import { type Grant, NO_RIGHTS, PERMISSIONS, type Rights, ROLES, rightsOf } from '../base/rights.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { ApiTokens } from './api-tokens.ts';
import { takeFirstRun } from './first-run.ts';
import { type Holder, holderOfToken, type TokenHolder } from './holder.ts';
import type { Log } from './log.ts';
import type { SessionOwner, Sessions } from './sessions.ts';

/** A role for those whom the provider counts among a group; `*`: for all whom it knows. */
export interface GroupGrant extends Grant {
  group: string;
}

export interface SignInRoom {
  credentials: CredentialStore;
  clock: Clock;
  log: Log;
  /** Of lynceus.yaml. */
  tokens: readonly TokenHolder[];
  apiTokens: ApiTokens;
  sessions: Sessions;
  grants: readonly GroupGrant[];
  /** Whether nobody can sign in by configuration: then the first person may, with the password of the log. */
  isFirstRun: boolean;
}

/** Tells who somebody is, by what they show. */
export interface SignIn {
  /** At once for tokens of the configuration, which come in thousands; what is in the store has to be asked for. */
  byToken(token: string): Holder | Promise<Holder | undefined>;
  /** `isUse`: somebody is there, so that it lasts from now on; absent: they are. */
  bySession(secret: string, isUse?: boolean): Promise<Holder | undefined>;
  /** Opens a session for the holder of a token, or of the password for the first sign-in. */
  withToken(token: string): Promise<string | undefined>;
  /** Opens a session for somebody whom the provider knows; `undefined`: none of their groups has a role here. */
  withIdentity(identity: Identity): Promise<string | undefined>;
  /** Whether nobody signed in by this attempt before, at whichever replica. Ask once somebody has. */
  isFirstUse(state: string): Promise<boolean>;
  /** Ends a session, at once and on every replica. */
  end(secret: string): Promise<void>;
}

export type { Identity, SignInProvider };

/** The cookie of an attempt is gone long before. */
const REMEMBERED_MS = 3_600_000;
const FIRST_NAME = 'first admin';

export function createSignIn(room: SignInRoom): SignIn {
  const { apiTokens, sessions, grants, log } = room;
  const configured = room.tokens.map((one) => ({
    digest: sha256Bytes(one.token.reveal()),
    holder: holderOfToken(one),
  }));

  /** Every one is compared, whichever matches. */
  function inConfiguration(digest: Buffer): Holder | undefined {
    let found: Holder | undefined;
    for (const one of configured) if (timingSafeEqual(digest, one.digest)) found = one.holder;
    return found;
  }

  async function byHash(hex: string): Promise<Holder | undefined> {
    return inConfiguration(Buffer.from(hex, 'hex')) ?? apiTokens.findByHash(hex);
  }

  async function holderOf(owner: SessionOwner): Promise<Holder | undefined> {
    if (owner.via === 'first-run') return room.isFirstRun ? { ...FIRST_ADMIN } : undefined;
    if (owner.via === 'token') {
      const holder = await byHash(owner.hash);
      return holder && { ...holder, method: 'session' };
    }
    const { name, groups, issuer, subject, mail } = owner;
    const rights = rightsIn(grants, groups);
    if (rights.may.length === 0) return undefined;
    const id = `session/${JSON.stringify([issuer, subject])}`;
    const who = { id, name, groups, ...(mail === undefined ? {} : { mail }) };
    return { ...who, ...rights, method: 'session', identity: { issuer, subject } };
  }

  async function open(owner: SessionOwner): Promise<string> {
    const { name, via } = owner;
    log.info({ name, via, ...(via === 'provider' ? { subject: owner.subject } : {}) }, 'signed in');
    return sessions.open(owner);
  }

  return {
    byToken: (token) => inConfiguration(sha256Bytes(token)) ?? apiTokens.find(token),
    async bySession(secret, isUse = true) {
      const owner = await sessions.find(secret, isUse);
      return owner && holderOf(owner);
    },
    async withToken(token) {
      if (room.isFirstRun && (await takeFirstRun(room, token)))
        return open({ name: FIRST_NAME, groups: [], via: 'first-run' });
      const hex = sha256Bytes(token).toString('hex');
      const holder = await byHash(hex);
      return holder && open({ name: holder.name, groups: holder.groups, via: 'token', hash: hex });
    },
    async withIdentity({ name, groups, issuer, subject, email }) {
      const mail = email === undefined ? undefined : mailId(email);
      const who = { name, groups, issuer, subject, ...(mail === undefined ? {} : { mail }) };
      if (rightsIn(grants, groups).may.length > 0) return open({ ...who, via: 'provider' });
      log.info({ name, subject, groups: groups.slice(0, 20) }, 'somebody without a role here wanted to sign in');
      return undefined;
    },
    isFirstUse(state) {
      const at = room.clock.now().getTime();
      const digest = sha256Bytes(state).toString('hex');
      const used = { kind: 'attempt', id: digest, hash: digest, createdAt: at, usedAt: at, data: {} };
      return room.credentials.add({ ...used, expiresAt: at + REMEMBERED_MS });
    },
    async end(secret) {
      const owner = await sessions.find(secret, false);
      await sessions.end(secret);
      if (owner) log.info({ name: owner.name, via: owner.via }, 'signed out');
    },
  };
}

const FIRST_ADMIN: Holder = {
  id: 'first-run',
  name: FIRST_NAME,
  groups: [],
  method: 'session',
  may: PERMISSIONS,
  roles: ROLES,
  stages: 'all',
};

function rightsIn(grants: readonly GroupGrant[], groups: readonly string[]): Rights {
  const granted = grants.filter(({ group }) => group === '*' || groups.includes(group));
  return granted.length === 0 ? NO_RIGHTS : rightsOf(granted);
}
