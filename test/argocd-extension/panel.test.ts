import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { changeRow } from '../../src/answers/answer.ts';
import { BLOCKER_KINDS } from '../../src/answers/change-row.ts';
import { GOLDEN_NOW, goldenFacts } from '../support/change-rows.ts';

const SOURCE = readFileSync(new URL('../../argocd-extension/extension-lynceus.js', import.meta.url), 'utf8');
const APPLICATION = { metadata: { name: 'checkout/prod', namespace: 'argocd' }, spec: { project: 'shop' } };

type Component = (props: object) => unknown;
interface Element {
  type: string | Component;
  props: Record<string, unknown>;
  children: unknown[];
}

/** As much of Argo CD's page as the panel uses: React with hooks, the registry of extensions, the proxy. */
function argoCd(answer: { status: number; body?: object } | 'down') {
  const registered: { panel: Component; title: string; id: string; flyout: Component }[] = [];
  const asked: { url: string; headers: Record<string, string> }[] = [];
  const state: unknown[] = [];
  let hook = 0;
  const started = new Set<number>();
  const React = {
    createElement: (type: Element['type'], props: object | null, ...children: unknown[]): Element => ({
      type,
      props: { ...props },
      children,
    }),
    useState(first: unknown) {
      const at = hook++;
      if (!(at in state)) state[at] = first;
      const set = (next: unknown) => {
        state[at] = typeof next === 'function' ? (next as (before: unknown) => unknown)(state[at]) : next;
      };
      return [state[at], set];
    },
    useEffect(effect: () => unknown) {
      const at = hook++;
      if (!started.has(at)) effect();
      started.add(at);
    },
  };
  const window = {
    React,
    document: { hidden: false },
    setInterval: () => 0,
    clearInterval: () => undefined,
    fetch: async (url: string, { headers }: { headers: Record<string, string> }) => {
      asked.push({ url, headers });
      if (answer === 'down') throw new Error('the proxy does not answer');
      return { status: answer.status, ok: answer.status < 300, json: async () => answer.body };
    },
    extensionsAPI: {
      registerStatusPanelExtension: (panel: Component, title: string, id: string, flyout: Component) =>
        registered.push({ panel, title, id, flyout }),
    },
  };
  runInNewContext(SOURCE, { window });
  async function shown(which: 'panel' | 'flyout'): Promise<{ text: string; links: string[] }> {
    const draw = () => {
      hook = 0;
      return registered[0]?.[which]({ application: APPLICATION, openFlyout: () => undefined });
    };
    draw();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const links: string[] = [];
    return { text: textOf(draw(), links), links };
  }
  return { registered, asked, shown };
}

function textOf(node: unknown, links: string[]): string {
  if (Array.isArray(node)) return node.map((one) => textOf(one, links)).join(' ');
  if (typeof node === 'string' || typeof node === 'number') return String(node);
  if (typeof node !== 'object' || node === null) return '';
  const { type, props, children } = node as Element;
  if (typeof props['href'] === 'string') links.push(props['href']);
  return typeof type === 'function' ? textOf(type(props), links) : textOf(children, links);
}

describe('the status panel in Argo CD', () => {
  it.each(BLOCKER_KINDS)('gives the five answers of a change that waits for %s', async (kind) => {
    const row = changeRow(goldenFacts[kind], { now: GOLDEN_NOW });
    const page = argoCd({ status: 200, body: { row, url: `https://lynceus.example.com/changes/${row.id}` } });
    expect(page.registered).toMatchObject([{ title: 'Change', id: 'lynceus' }]);
    expect((await page.shown('panel')).text).toContain(row.blocker.sentence);
    const { text, links } = await argoCd({ status: 200, body: { row, url: 'https://lynceus.example.com/c' } }).shown(
      'flyout',
    );
    for (const question of ['Where', 'Waiting for', 'Who', 'How long']) expect(text).toContain(question);
    expect(text).toContain(row.blocker.sentence);
    expect(text).toContain(row.eta?.text ?? (row.afterwards ? 'until somebody acts' : 'it is over'));
    expect(text).toContain(row.afterwards?.text ?? '');
    expect(links).toEqual(['https://lynceus.example.com/c']);
  });

  it('asks through the proxy of Argo CD, in the name of the application', async () => {
    const page = argoCd({ status: 404 });
    expect((await page.shown('panel')).text).toContain('No change of this application yet');
    expect(page.asked).toEqual([
      {
        url: '/extensions/lynceus/api/v1/find/argocd/argocd/checkout%2Fprod',
        headers: {
          Accept: 'application/json',
          'Argocd-Application-Name': 'argocd:checkout/prod',
          'Argocd-Project-Name': 'shop',
        },
      },
    ]);
  });

  it('says so when nothing can be had, and follows no address that is none', async () => {
    expect((await argoCd('down').shown('panel')).text).toContain('the proxy does not answer');
    expect((await argoCd({ status: 502 }).shown('flyout')).text).toContain('Lynceus answered 502');
    const row = changeRow(goldenFacts.none, { now: GOLDEN_NOW });
    const { links } = await argoCd({ status: 200, body: { row, url: 'javascript:alert(1)' } }).shown('flyout');
    expect(links).toEqual([]);
  });

  it('leaves an Argo CD alone that knows no such panels', () => {
    expect(() => runInNewContext(SOURCE, { window: {} })).not.toThrow();
  });
});
