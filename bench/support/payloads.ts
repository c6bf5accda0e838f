import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSandboxArgoCd } from '../../examples/sandbox/argocd/server.ts';
import { createBareRepository } from '../../examples/sandbox/git.ts';
import type { Bodies } from './load.ts';
import { CI_TOKEN, WEBHOOK_TOKEN } from './service.ts';

export interface Payload {
  name: string;
  path: string;
  headers: Record<string, string>;
  bodies: Bodies;
  /** So many of them in one request, as JSON array. */
  batch?: number;
}

const SERIAL = '@serial@';
const APPLICATION = '@application@';

/** What a CI system tells when it has published an image, in words of its own: a structured CloudEvent of about 1.2 kB that is kept. */
export function cloudEvents(prefix: string): Payload {
  const event = {
    specversion: '1.0',
    id: SERIAL,
    source: '/ci/shop/checkout',
    type: 'com.example.ci.image.published.v1',
    subject: 'pkg:oci/checkout@sha256%3A0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427',
    time: '2026-03-02T08:15:30.000Z',
    datacontenttype: 'application/json',
    data: {
      context: { version: '0.4.1', chainId: SERIAL, timestamp: '2026-03-02T08:15:30Z' },
      subject: {
        id: 'pkg:oci/checkout@sha256%3A0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427',
        type: 'artifact',
        content: { user: 'ci', sbom: { uri: 'https://artifacts.example.com/shop/checkout/1.42.0/sbom.spdx.json' } },
      },
      build: {
        number: 4211,
        branch: 'main',
        commit: '5f1c9b2ae7d044135f1c9b2ae7d044135f1c9b2a',
        url: 'https://ci.example.com/shop/checkout/runs/4211',
        durations: { checkout: 2.1, install: 31.4, test: 188.9, build: 74.2, push: 12.6 },
        tests: { passed: 1824, failed: 0, skipped: 3 },
        labels: ['release', 'signed', 'amd64', 'arm64'],
        notes: 'Built from a protected branch, tests green on the second attempt. '.repeat(3),
      },
    },
  };
  return {
    name: 'CloudEvents',
    path: '/api/v1/events',
    headers: { Authorization: `Bearer ${CI_TOKEN}`, 'Content-Type': 'application/cloudevents+json' },
    bodies: { template: JSON.stringify(event), placeholder: SERIAL, prefix },
  };
}

/** The same events, as many in one request as a group of the grouped INSERTs has. */
export function batchedCloudEvents(prefix: string, batch: number): Payload {
  const { path, headers, bodies } = cloudEvents(prefix);
  const batched = { ...headers, 'Content-Type': 'application/cloudevents-batch+json' };
  return { name: `CloudEvents, ${batch} a request`, path, headers: batched, bodies, batch };
}

/**
 * Notifications of `several` applications as Argo CD renders them with the templates in
 * argocd-notifications/, each for a commit of its own.
 */
export async function notifications(prefix: string, several: number): Promise<Payload> {
  const body = JSON.parse(await renderedNotification()) as Notification;
  const { metadata, status } = body.app;
  metadata.name = `${APPLICATION}-checkout`;
  metadata.uid = `3f0c5a1e-6f0b-4b52-9f0e-${APPLICATION}`;
  status.sync.revision = SERIAL;
  status.operationState.syncResult.revision = SERIAL;
  return {
    name: 'Argo CD notifications',
    path: '/webhooks/argocd',
    headers: { Authorization: `Bearer ${WEBHOOK_TOKEN}`, 'Content-Type': 'application/json' },
    bodies: {
      template: JSON.stringify(body),
      placeholder: SERIAL,
      prefix: `5f1c9b2ae7d044135f1c9b2a${prefix}`,
      repeated: { placeholder: APPLICATION, several },
    },
  };
}

interface Notification {
  app: {
    metadata: { name: string; uid: string };
    status: { sync: { revision: string }; operationState: { syncResult: { revision: string } } };
  };
}

/** Lets the sandbox sync an application, and takes what it says when that is done. */
async function renderedNotification(): Promise<string> {
  const repository = createBareRepository('deploy');
  repository.commit({ branch: 'main', files: { 'app.json': '{}\n' }, message: 'Lay out' });
  const said = Promise.withResolvers<string>();
  const listener = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    response.writeHead(202).end();
    if (text.includes('lynceus-sync-finished')) said.resolve(text);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const argocd = await startSandboxArgoCd({
    token: 'unused',
    timing: { pickUpMs: 1, syncMs: 1, reconcileMs: 1, healthPollMs: 10, pollMs: 20 },
    apps: [
      { name: 'checkout', labels: LABELS, repoUrl: repository.path, path: '.', automated: true, healthDelayMs: 1 },
    ],
    notifications: { url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`, token: 'unused' },
  });
  try {
    return await said.promise;
  } finally {
    await argocd.close();
    listener.closeAllConnections();
    listener.close();
    repository.remove();
  }
}

const LABELS = {
  'lynceus.dev/project': 'shop',
  'lynceus.dev/stage': 'staging',
  'lynceus.dev/service': 'checkout',
  'app.kubernetes.io/part-of': 'shop',
};
