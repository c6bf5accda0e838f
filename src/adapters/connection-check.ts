import type { Finding } from '../events/finding.ts';
import type { AdapterTools } from './adapter-kind.ts';
import { failed } from './failed-connection.ts';
import { createHttpClient, HttpFailure } from './http-client.ts';
import { type HttpSettings, toClientOptions } from './http-settings.ts';

export type Diagnose = (options?: { signal?: AbortSignal }) => Promise<Finding[]>;

/** One entry of lynceus.yaml, and how it is looked at without changing anything. */
export interface ConnectionCheck {
  section: 'deliverySystems' | 'gitHosts' | 'metrics' | 'registries' | 'eventSinks' | 'signIn';
  kind: string;
  name: string;
  /** Whether anything may call us in its name. */
  hasWebhook: boolean;
  /** Absent: nothing of it can be checked before it is used. */
  diagnose?: Diagnose;
}

const TIMEOUT_MS = 5_000;
const SECTION_WORDS = {
  deliverySystems: 'delivery system',
  gitHosts: 'Git host',
  metrics: 'metrics source',
  registries: 'registry',
  eventSinks: 'event sink',
  signIn: 'sign-in provider',
} as const;

/** The check of a connection: its adapter's own, else whether anybody answers at its url. */
export function connectionCheck(
  section: ConnectionCheck['section'],
  entry: { kind: string; name: string } & Record<string, unknown>,
  port: { diagnose?: Diagnose },
  tools: AdapterTools,
): ConnectionCheck {
  const { kind, name, url } = entry;
  const own = port.diagnose?.bind(port);
  const found =
    own ?? (typeof url === 'string' && /^https?:/i.test(url) ? reachability(section, entry, tools) : undefined);
  const hasWebhook = Array.isArray(entry['webhookTokens']) && entry['webhookTokens'].length > 0;
  return { section, kind, name, hasWebhook, ...(found === undefined ? {} : { diagnose: found }) };
}

/** Without credentials: they are sent only where the adapter itself would send them. */
function reachability(
  section: ConnectionCheck['section'],
  entry: { name: string } & Record<string, unknown>,
  tools: AdapterTools,
): Diagnose {
  const { headers: _, ...settings } = entry as unknown as HttpSettings & { name: string };
  const who = `the ${SECTION_WORDS[section]} ${entry.name}`;
  const client = createHttpClient({ ...toClientOptions(who, settings, tools), timeoutMs: TIMEOUT_MS });
  return async ({ signal } = {}) => {
    try {
      const { data } = await client.stream({ method: 'GET', path: '/', ...(signal ? { signal } : {}) });
      // What stands at the root may be a whole page.
      data.destroy();
      return [answers(who)];
    } catch (error) {
      // Whatever it says without credentials, it is there.
      if (error instanceof Error && error.cause instanceof HttpFailure) return [answers(who)];
      return [failed('address', error)];
    }
  };
}

function answers(who: string): Finding {
  return { level: 'ok', check: 'address', sentence: `${who} answers; its credentials are tried by the first query` };
}
