import { readFileSync, statSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { Secret } from '../../base/secret.ts';
import type { TlsMaterial } from '../tls-files.ts';
import { objectAt, objectsAt, textAt } from './kubernetes-object.ts';

export interface KubernetesCredentialsConfig {
  /** Absent: the service account of the pod that we run in. */
  kubeconfig?: { file: string; context?: string };
}

/** Where the API server is, and how it knows us. What rotates (tokens, certificates) is read again. */
export interface KubernetesCredentials {
  server: string;
  /** As of the last `authorize`; the same object means that nothing changed. */
  tls(): TlsMaterial;
  /** What the next request has to carry. Runs commands and asks identity providers where the kubeconfig says so. */
  authorize(): Promise<{ headers: Record<string, string>; secrets: Secret[] }>;
  /** The API server did not know us: whatever was kept is asked for anew. */
  forget(): void;
}

const IN_CLUSTER = 'https://kubernetes.default.svc';
const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** A command that asks a person for a password would wait for ever. */
const LOGIN_TIMEOUT_MS = 30_000;

/**
 * Credentials as kubectl has them: service account, certificates, tokens, commands (`exec`), OIDC.
 *
 * @param root folder under which the service account is looked for; for tests
 * @throws {AdapterError} `rejected` when the kubeconfig cannot be read, lacks the context, or asks for what we
 *   do not do
 */
export function kubernetesCredentials(
  name: string,
  { kubeconfig }: KubernetesCredentialsConfig,
  root = '',
): KubernetesCredentials {
  const file = kubeconfig?.file ?? root + SERVICE_ACCOUNT_TOKEN;
  const server = kubeconfig ? serverOf(name, kubeconfig) : inCluster(name, file);
  let loaded: { from: string; config: Promise<KubeConfig> } | undefined;
  let material: TlsMaterial = {};

  async function load(): Promise<KubeConfig> {
    // Large, and of no use to who has no Flux: 87 MB are loaded with the first request.
    const client = await import('@kubernetes/client-node');
    const config = new client.KubeConfig();
    if (!kubeconfig) config.loadFromCluster(root);
    else {
      config.loadFromFile(kubeconfig.file);
      if (kubeconfig.context !== undefined) config.setCurrentContext(kubeconfig.context);
    }
    return config;
  }

  function current(): Promise<KubeConfig> {
    const from = fingerprintOf(file);
    if (loaded?.from !== from) loaded = { from, config: load() };
    return loaded.config;
  }

  return {
    server,
    tls: () => material,
    async authorize() {
      const options: HttpsOptions = { headers: {} };
      try {
        const config = await current();
        await withinTime(config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]));
      } catch (error) {
        loaded = undefined;
        // Never with the words of a command or a library: they may quote what must stay secret.
        const why = error === TOO_LATE ? `took longer than ${LOGIN_TIMEOUT_MS / 1000} s` : 'cannot be had';
        throw new AdapterError('unauthenticated', `${name}: the credentials of ${file} ${why}`);
      }
      const next = materialOf(options);
      if (JSON.stringify(next) !== JSON.stringify(material)) material = next;
      return headersOf(options);
    },
    forget() {
      loaded = undefined;
    },
  };
}

/** What the library fills, of all that it could. */
interface HttpsOptions {
  headers: Record<string, string>;
  auth?: string;
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
}

const TOO_LATE = new Error('too late');

async function withinTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(TOO_LATE), LOGIN_TIMEOUT_MS);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function materialOf({ ca, cert, key, servername }: HttpsOptions): TlsMaterial {
  return {
    ...(ca === undefined ? {} : { ca: String(ca) }),
    ...(cert === undefined ? {} : { cert: String(cert) }),
    ...(key === undefined ? {} : { key: String(key) }),
    ...(servername === undefined ? {} : { servername }),
  };
}

function headersOf({ headers, auth }: HttpsOptions): { headers: Record<string, string>; secrets: Secret[] } {
  const basic = auth === undefined ? undefined : Buffer.from(auth).toString('base64');
  const all = basic === undefined ? headers : { ...headers, Authorization: `Basic ${basic}` };
  // The newline at the end of a token file is not part of the token.
  const clean = Object.fromEntries(Object.entries(all).map(([key, value]) => [key, String(value).trim()]));
  const secrets = Object.values(clean).map((value) => value.replace(/^(?:Bearer|Basic) /, ''));
  return { headers: clean, secrets: secrets.map((value) => new Secret(value)) };
}

function inCluster(name: string, tokenFile: string): string {
  if (statSync(tokenFile, { throwIfNoEntry: false })?.isFile()) return IN_CLUSTER;
  throw new AdapterError(
    'rejected',
    `${name}: there is no service account token at ${tokenFile}: run in a pod, or set kubeconfig.file`,
  );
}

function serverOf(name: string, { file, context }: { file: string; context?: string }): string {
  const document = readDocument(name, file);
  const wanted = context ?? textAt(document['current-context']) ?? '';
  const contexts = objectsAt(document['contexts']);
  const found = contexts.find((one) => one['name'] === wanted);
  if (!found) {
    const known = contexts.map((one) => String(one['name'])).join(', ') || 'none';
    throw refused(name, file, `has no context "${wanted}" (known: ${known}); set kubeconfig.context`);
  }
  const cluster = clusterOf(document, textAt(objectAt(found['context'])['cluster']));
  const server = textAt(cluster['server']);
  if (server === undefined) throw refused(name, file, `names no server for the context "${wanted}"`);
  // Without TLS (a proxy on this machine) there is nothing to verify, and the library wants that said.
  if (cluster['insecure-skip-tls-verify'] === true && !server.startsWith('http://')) {
    throw refused(name, file, 'has insecure-skip-tls-verify; give the certificate-authority instead');
  }
  if (cluster['proxy-url'] !== undefined) throw refused(name, file, 'has a proxy-url, which is not supported');
  return server;
}

function clusterOf(document: JsonObject, wanted: string | undefined): JsonObject {
  return objectAt(objectsAt(document['clusters']).find((one) => one['name'] === wanted)?.['cluster']);
}

function readDocument(name: string, file: string): JsonObject {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw refused(name, file, 'cannot be read');
  }
  try {
    const document: unknown = parse(text);
    if (isJsonObject(document)) return document;
  } catch {
    // Said below, without the parser's words: they quote the file.
  }
  throw refused(name, file, 'is not a kubeconfig');
}

function refused(name: string, file: string, why: string): AdapterError {
  return new AdapterError('rejected', `${name}: the kubeconfig ${file} ${why}`);
}

/** Changes whenever the file is written or replaced. */
function fingerprintOf(file: string): string {
  const { ino, mtimeNs, size } = statSync(file, { bigint: true, throwIfNoEntry: false }) ?? {};
  return `${ino}/${mtimeNs}/${size}`;
}
