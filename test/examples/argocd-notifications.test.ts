import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { TRIGGERS } from '../../examples/sandbox/argocd/notifier.ts';
import { Secret } from '../../src/base/secret.ts';
import { argocdSender } from '../../src/http/senders/argocd.ts';

const FOLDER = fileURLToPath(new URL('../../argocd-notifications/', import.meta.url));
const read = (file: string) => parse(readFileSync(FOLDER + file, 'utf8')) as Record<string, unknown>;

interface Condition {
  when: string;
  oncePer: string;
  send: string[];
}
interface Template {
  webhook: Record<string, { method: string; body: string }>;
}

const data = read('argocd-notifications-cm.yaml')['data'] as Record<string, string>;
const entries = <T>(kind: string) =>
  Object.entries(data)
    .filter(([key]) => key.startsWith(`${kind}.`))
    .map(([key, text]) => [key.slice(kind.length + 1), parse(text) as T] as const);
const triggers = entries<Condition[]>('trigger');
const templates = entries<Template>('template');
const [[serviceName, service] = ['', {} as Record<string, unknown>]] =
  entries<Record<string, unknown>>('service.webhook');

describe('the notification service', () => {
  it('says who speaks and in what', () => {
    expect(service['headers']).toEqual([
      { name: 'Authorization', value: 'Bearer $lynceus-token' },
      { name: 'Content-Type', value: 'application/json' },
    ]);
  });

  it('posts to the path that Lynceus listens on', () => {
    const sender = argocdSender({ sources: [{ system: 'main', tokens: [new Secret('a-token-for-the-test')] }] });
    expect(new URL(String(service['url'])).pathname).toBe(sender.path);
  });

  it.each(['retryWaitMin', 'retryWaitMax'])('gives %s in nanoseconds, between one second and ten', (key) => {
    expect(Number.isInteger(service[key])).toBe(true);
    expect(service[key]).toBeGreaterThanOrEqual(1e9);
    expect(service[key]).toBeLessThanOrEqual(10e9);
  });

  it('finds its token in the secret', () => {
    expect(Object.keys(read('argocd-notifications-secret.yaml')['stringData'] as object)).toEqual(['lynceus-token']);
  });
});

/** `app.status?.a?.b ?? x` -> [`app.status?.a?.b`, ` ?? x`] */
function pathAndRest(text: string): [string, string] {
  const path = /^app[\w?.]*\w/.exec(text)?.[0] ?? '';
  return [path, text.slice(path.length)];
}

describe('the triggers', () => {
  it('are those that the sandbox knows', () => {
    expect(triggers.map(([name]) => name).sort()).toEqual(TRIGGERS.map(({ name }) => name).sort());
  });

  it.each(triggers)('%s is a list, sends a template that exists, and at most once per occasion', (name, conditions) => {
    expect(name).not.toContain('.');
    expect(Array.isArray(conditions)).toBe(true);
    for (const { when, oncePer, send } of conditions) {
      expect(when).not.toBe('');
      expect(oncePer).not.toBe('');
      expect(templates.map(([template]) => template)).toEqual(expect.arrayContaining(send));
    }
  });

  it.each(triggers)('%s survives an application without status, and never says "<nil>"', (_, conditions) => {
    for (const { when, oncePer } of conditions) {
      // Every step below app.status is optional, and what once-per yields always has a fallback.
      expect(`${when} ${oncePer}`).not.toMatch(/app\.status\.|\w\?\.\w+\.\w/);
      for (const [use, rest] of oncePer.split(/(?=app\.status)/).map(pathAndRest)) {
        if (use !== '') expect(rest).toMatch(/^ \?\? /);
      }
    }
  });
});

describe('the templates', () => {
  it.each(templates)('%s posts a body under the name of the service', (_, template) => {
    expect(Object.keys(template.webhook)).toEqual([serviceName]);
    expect(template.webhook[serviceName]?.method).toBe('POST');
  });

  it.each(templates)('%s names its trigger and puts every value through toJson', (name, template) => {
    const body = template.webhook[serviceName]?.body ?? '';
    const actions = [...body.matchAll(/\{\{(.*?)\}\}/g)].map(([, action = '']) => action.trim());
    expect(actions.every((action) => action.startsWith('toJson '))).toBe(true);
    expect(body).not.toMatch(/repo\.|secrets/);
    const shape = JSON.parse(body.replace(/\{\{.*?\}\}/g, 'null')) as { schema: string; trigger: string };
    expect(shape).toMatchObject({ schema: 'argocd.v1', trigger: name });
  });
});

describe('the example subscription', () => {
  const { kind, metadata } = read('subscription-example.yaml') as {
    kind: string;
    metadata: { labels: Record<string, string>; annotations: Record<string, string> };
  };

  it('subscribes to every trigger under names that Argo CD can read', () => {
    const wanted = triggers.map(([name]) => `notifications.argoproj.io/subscribe.${name}.${serviceName}`);
    expect(Object.keys(metadata.annotations)).toEqual(expect.arrayContaining(wanted));
    for (const key of wanted) expect(key.split('/')[1]?.length).toBeLessThanOrEqual(63);
  });

  it('is on the Application itself: what an AppProject subscribes does not reach applications in other namespaces', () => {
    expect(kind).toBe('Application');
  });

  it('carries the three labels', () => {
    expect(Object.keys(metadata.labels)).toEqual(['lynceus.dev/project', 'lynceus.dev/stage', 'lynceus.dev/service']);
  });
});

describe('the folder', () => {
  it('explains each of its files', () => {
    const readme = readFileSync(`${FOLDER}README.md`, 'utf8');
    for (const file of readdirSync(FOLDER).filter((name) => name !== 'README.md')) expect(readme).toContain(file);
  });
});
