import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KUSTOMIZATION } from '../../../src/adapters/delivery-systems/flux-kinds.ts';
import { createKubernetesApi } from '../../../src/adapters/delivery-systems/kubernetes.ts';
import {
  type KubernetesCredentials,
  kubernetesCredentials,
} from '../../../src/adapters/delivery-systems/kubernetes-credentials.ts';
import { failureOf } from '../../contracts/delivery-system.ts';
import { certificateFor } from '../../support/certificates.ts';

const certificate = certificateFor('kubernetes.example.org');

describe('the credentials of a cluster', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lynceus-kube-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  function kubeconfig(user: string, cluster = 'server: "https://10.1.2.3:6443/k8s/c-1"'): string {
    return file(
      'config',
      `apiVersion: v1
kind: Config
current-context: eu
clusters: [{name: eu, cluster: {${cluster}}}]
contexts: [{name: eu, context: {cluster: eu, user: me}}, {name: us, context: {cluster: eu, user: me}}]
users: [{name: me, user: {${user}}}]
`,
    );
  }

  const of = (path: string, context?: string) =>
    kubernetesCredentials('Flux eu', { kubeconfig: { file: path, ...(context === undefined ? {} : { context }) } });

  async function bearer(credentials: KubernetesCredentials): Promise<string | undefined> {
    const { headers, secrets } = await credentials.authorize();
    expect(secrets.map((secret) => `Bearer ${secret.reveal()}`)).toContain(headers['Authorization']);
    return headers['Authorization'];
  }

  it('are read out of the kubeconfig, and again when that was written anew', async () => {
    const credentials = of(kubeconfig('token: first'));
    expect(credentials.server).toBe('https://10.1.2.3:6443/k8s/c-1');
    expect(await bearer(credentials)).toBe('Bearer first');
    kubeconfig('token: second-one');
    expect(await bearer(credentials)).toBe('Bearer second-one');
  });

  it('come from a command, as clouds do it, and are kept until they run out', async () => {
    const counter = join(folder, 'counter');
    const script = file(
      'login',
      `#!/bin/sh\necho x >> ${counter}\nn=$(wc -l < ${counter})\necho "{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"kind\\":\\"ExecCredential\\",\\"status\\":{\\"token\\":\\"t$((n + 0))\\"}}"\n`,
    );
    chmodSync(script, 0o755);
    const credentials = of(kubeconfig(`exec: {apiVersion: client.authentication.k8s.io/v1, command: ${script}}`));
    expect(await bearer(credentials)).toBe('Bearer t1');
    expect(await bearer(credentials)).toBe('Bearer t1');
    credentials.forget();
    expect(await bearer(credentials)).toBe('Bearer t2');
  });

  it('that a command does not give are told without its words', async () => {
    const script = file('login', '#!/bin/sh\necho "the password hunter2 is wrong" >&2\nexit 1\n');
    chmodSync(script, 0o755);
    const credentials = of(kubeconfig(`exec: {apiVersion: client.authentication.k8s.io/v1, command: ${script}}`));
    const failure = await failureOf(credentials.authorize());
    expect(failure.reason).toBe('unauthenticated');
    expect(inspect(failure, { depth: 8, showHidden: true })).not.toContain('hunter2');
  });

  it('of a pod are its service account, read again when it rotates', async () => {
    const home = join(folder, 'var/run/secrets/kubernetes.io/serviceaccount');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'token'), 'first\n');
    writeFileSync(join(home, 'ca.crt'), readFileSync(certificate.cert));
    const credentials = kubernetesCredentials('Flux eu', {}, folder);
    expect(credentials.server).toBe('https://kubernetes.default.svc');
    expect(await bearer(credentials)).toBe('Bearer first');
    expect(credentials.tls().ca).toBe(readFileSync(certificate.cert, 'utf8'));
    const before = credentials.tls();
    writeFileSync(join(home, 'token'), 'second\n');
    expect(await bearer(credentials)).toBe('Bearer second');
    expect(credentials.tls()).toBe(before);
  });

  it('bring the certificates that the connection is made with', async () => {
    const server = createServer(
      { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) },
      (request, response) => {
        const known = request.headers.authorization === 'Bearer first';
        response.writeHead(known ? 200 : 401, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify(known ? { metadata: { name: 'checkout' } } : { message: 'Unauthorized' }));
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const get = (cluster: string, user = 'token: first') => {
      const credentials = of(kubeconfig(user, `server: "${url}"${cluster}`));
      const api = createKubernetesApi({ name: 'Flux eu', credentials, addresses: 'any' });
      return api.get(KUSTOMIZATION, { namespace: 'shop', name: 'checkout' });
    };
    try {
      const named = `, certificate-authority: ${certificate.cert}, tls-server-name: kubernetes.example.org`;
      await expect(get(named)).resolves.toMatchObject({ metadata: { name: 'checkout' } });
      await expect(get(named, 'token: other')).rejects.toMatchObject({ reason: 'unauthenticated' });
      // Another name, or nobody who vouches for it.
      await expect(get(`, certificate-authority: ${certificate.cert}`)).rejects.toMatchObject({
        reason: 'unavailable',
      });
      await expect(get(', tls-server-name: kubernetes.example.org')).rejects.toMatchObject({ reason: 'unavailable' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each<[string, () => unknown, RegExp]>([
    ['a file that is not there', () => of('/nowhere/kubeconfig'), /\/nowhere\/kubeconfig cannot be read/],
    ['a file that is none', () => of(file('x', 'password: [hunter2')), /is not a kubeconfig$/],
    ['a context that is not there', () => of(kubeconfig('token: t'), 'mars'), /no context "mars" \(known: eu, us\)/],
    ['a cluster without a server', () => of(kubeconfig('token: t', 'x: y')), /names no server for the context "eu"/],
    [
      'a connection that verifies nothing',
      () => of(kubeconfig('token: t', 'server: "https://x", insecure-skip-tls-verify: true')),
      /give the certificate-authority/,
    ],
    [
      'a proxy',
      () => of(kubeconfig('token: t', 'server: "https://x", proxy-url: "http://y"')),
      /proxy-url, which is not supported/,
    ],
    ['no pod around us', () => kubernetesCredentials('Flux eu', {}, folder), /run in a pod, or set kubeconfig\.file/],
  ])('refuse %s at the start', (_, create, words) => {
    expect(create).toThrow(words);
  });
});
