import type { HostUser } from '../../promotion/people.ts';
import { type AzureIdentity, acceptVersion, toHostUser } from './azure-devops-api.ts';
import type { CallOptions } from './git-host.ts';
import type { RestApi } from './rest-api.ts';

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An identity as the identity service describes it. */
interface Identity {
  id: string;
  providerDisplayName?: string;
  subjectDescriptor?: string;
  isActive?: boolean;
  isContainer?: boolean;
  properties?: Partial<Record<'Account' | 'Mail', { $value?: string }>>;
}

export interface AzureIdentities {
  /** The account that we act as; asked once, for a token stays with its account. */
  whoAmI(options?: CallOptions): Promise<HostUser>;
  /** The id of the one account (or group) that is called so: e-mail address, account, display name, or its id itself. */
  find(name: string, group: boolean, options?: CallOptions): Promise<string | undefined>;
}

/** Who is who. Of Azure DevOps Services the accounts of all organisations have an address of their own. */
export function createAzureIdentities(api: RestApi, accounts: RestApi, version: string): AzureIdentities {
  let me: Promise<HostUser> | undefined;

  return {
    whoAmI(options) {
      me ??= askWhoIAm(api, version, options);
      me.catch(() => {
        me = undefined;
      });
      return me;
    },
    async find(name, group, options) {
      if (GUID.test(name)) return name.toLowerCase();
      const query = { searchFilter: 'General', filterValue: name, queryMembership: 'None' };
      const { value } = await accounts.get<{ value: (Identity | null)[] }>('/_apis/identities', options, query);
      const found = value.filter((one) => one !== null && isCalled(one, name, group)) as Identity[];
      // Of two with one name nobody knows who was meant.
      return found.length === 1 ? found[0]?.id : undefined;
    },
  };
}

/** Where accounts are asked about: `https://vssps.dev.azure.com/acme` for Services, the server itself otherwise. */
export function accountsSite(site: URL): string {
  const url = new URL(site);
  if (url.host === 'dev.azure.com') url.host = 'vssps.dev.azure.com';
  else if (url.host.endsWith('.visualstudio.com')) url.host = url.host.replace('.', '.vssps.');
  return url.href.replace(/\/+$/, '');
}

async function askWhoIAm(api: RestApi, version: string, options?: CallOptions): Promise<HostUser> {
  interface Connection {
    authenticatedUser: { id: string; providerDisplayName?: string; subjectDescriptor?: string } & Pick<
      Identity,
      'properties'
    >;
  }
  // Never released, and asked for by everybody.
  const headers = acceptVersion(`${version}-preview`);
  const { data } = await api.send<Connection>({ method: 'GET', path: '/_apis/connectionData', headers }, options);
  const { id, providerDisplayName, subjectDescriptor, properties } = data.authenticatedUser;
  const identity: AzureIdentity = {
    id,
    ...(providerDisplayName === undefined ? {} : { displayName: providerDisplayName }),
    ...(properties?.Account?.$value === undefined ? {} : { uniqueName: properties.Account.$value }),
    ...(subjectDescriptor === undefined ? {} : { descriptor: subjectDescriptor }),
  };
  return toHostUser(identity);
}

function isCalled(one: Identity, name: string, group: boolean): boolean {
  if (one.isActive === false || (one.isContainer === true) !== group) return false;
  const names = [one.properties?.Account?.$value, one.properties?.Mail?.$value, one.providerDisplayName];
  return names.some((known) => known?.toLowerCase() === name.toLowerCase());
}
