import type { Permission } from '../../src/promotion/people.ts';

/** An account at the fake GitHub. */
export interface Account {
  id: number;
  login: string;
  type: 'User' | 'Bot';
  /** Their own token. */
  token: string;
  permission: Permission;
}

/** Who is there, what they may do, and the teams of the organisation `acme`. */
export function createAccounts() {
  const all: Account[] = [];
  const teams = new Map<string, Set<number>>([['release', new Set()]]);

  function add(login: string, permission: Permission = 'read', type: Account['type'] = 'User'): Account {
    const id = 1_000 + all.length;
    const account: Account = { id, login, type, token: `ghp_of_${login}_${id}`, permission };
    all.push(account);
    return account;
  }

  return {
    all,
    teams,
    add,
    /** Whoever is called so now; made when nobody is. */
    named: (login: string) => all.find((one) => one.login === login) ?? add(login),
    find: (login: string) => all.find((one) => one.login.toLowerCase() === login.toLowerCase()),
    byId: (id: number) => all.find((one) => one.id === id),
    byToken: (token: string) => all.find((one) => one.token === token),
  };
}

export type Accounts = ReturnType<typeof createAccounts>;

/** As GitHub answers an account in other things. */
export function userBody({ id, login, type }: Account) {
  return { id, login, type };
}
