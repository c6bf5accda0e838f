import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Html } from '../../src/ui/html.ts';
import { connectionsScreen } from '../../src/ui/pages/connections/page.ts';
import { sourceScreen } from '../../src/ui/pages/connections/source.ts';
import { evaluationsBoard } from '../../src/ui/pages/evaluations/board.ts';
import { choosePlace, evaluationsIndex, noSuchPlace } from '../../src/ui/pages/evaluations/list.ts';
import { fleetScreen } from '../../src/ui/pages/fleet/page.ts';
import { riskPanel } from '../../src/ui/parts/risk.ts';
import { sparkline } from '../../src/ui/parts/sparkline.ts';
import type { ConnectionState } from '../../src/views/connections.ts';
import { breakdown } from '../../src/views/evaluation-breakdown.ts';
import type { EvaluationView } from '../../src/views/evaluation-document.ts';
import { heatMap } from '../../src/views/evaluations.ts';
import type { FleetService } from '../../src/views/fleet.ts';
import { fleetEntry, fleetPage } from '../../src/views/fleet-page.ts';

const NOW = '2026-11-21T12:00:00.000Z';
const EARLIER = '2026-11-20T10:00:00.000Z';

/** Whatever comes from outside is this text, in every place of every screen. */
function screens(text: string): Html[] {
  const indicator = {
    ...{
      sli: text,
      displayName: text,
      keySli: true,
      weight: 1,
      value: 1,
      unit: text,
      status: 'fail' as const,
      score: 0,
    },
    ...{ comparedValue: 2, change: -1, message: text, sources: [{ provider: text, value: 1 }] },
    passTargets: [{ criteria: text, targetValue: 1, violated: true }],
    warningTargets: [{ criteria: text, targetValue: 1, violated: false }],
  };
  const view: EvaluationView = {
    ...{ id: text, project: text, stage: text, service: text, context: `${text}.`, state: 'finished' },
    ...{ status: 'succeeded', result: 'fail', version: text, revision: text, finishedAt: EARLIER, requestedBy: text },
    period: { start: EARLIER, end: NOW },
    invalidated: { actor: text, reason: text, at: EARLIER },
    evaluation: {
      ...{
        result: 'fail',
        score: 1,
        thresholds: { pass: 90 },
        indicators: [indicator],
        message: text,
        compared: [text],
      },
    },
  };
  const service: FleetService = {
    ...{ project: text, service: text, team: text, differs: true, versions: [{ label: `${text}2`, at: NOW }] },
    units: [
      { ...{ stage: text, system: text, namespace: text, name: text, cluster: text, ring: text, version: text } },
      { ...{ stage: text, system: text, namespace: text, name: text, cluster: `${text}3`, version: `${text}2` } },
    ].map((unit) => ({ ...unit, health: 'Degraded', sync: 'Synced', since: EARLIER, link: text })),
    stages: [
      {
        ...{ stage: text, scores: [1, null], evaluation: { id: text, at: EARLIER, result: 'fail', score: 1 } },
        last: { change: text, label: text, at: EARLIER },
        good: { change: text, label: `${text}4`, at: EARLIER },
        revisions: [],
      },
    ],
  };
  const connection: ConnectionState = {
    ...{
      section: 'deliverySystems',
      kind: 'argocd',
      name: text,
      hasWebhook: true,
      level: 'problem',
      checkedAt: EARLIER,
    },
    findings: [{ level: 'problem', check: text, sentence: text, remedy: text }],
  };
  const problem = { sentence: text, remedy: text };
  const place = { project: text, stage: text, service: text };
  const id = `${text}/${text}`;
  const map = heatMap([view]);
  const shown = breakdown(view);
  const boards = (['heat', 'line'] as const).map((drawn) =>
    evaluationsBoard({
      ...{ place, map, underWay: 1, now: NOW, older: text },
      query: { view: drawn, last: 60, e: text, sli: map.slis[0]?.key ?? '', from: text },
      chosen: { breakdown: shown, files: [{ path: text, url: text }], mayIgnore: true, csrf: text },
    }),
  );
  const fleets = (['stage', 'cluster', 'ring'] as const).map((by) => {
    const query = {
      group: 'team' as const,
      by,
      differs: false,
      sort: 'name' as const,
      open: [text],
      q: text,
      project: text,
    };
    return fleetScreen({
      page: fleetPage([fleetEntry(service)], query),
      services: new Map([[id, service]]),
      silent: new Map([[text, EARLIER]]),
      authors: new Map([[text, { name: text, login: text }]]),
      query,
      now: NOW,
    });
  });
  return [
    ...boards,
    ...fleets,
    evaluationsIndex({ services: [service], total: 1, q: text, project: text, now: NOW, next: text, cursor: text }),
    choosePlace(text, text, [text]),
    noSuchPlace(text, text),
    riskPanel({
      ...{ check: 'risk', answer: 'deny', reasons: [text] },
      figures: {
        ...{ score: 1, level: text, contributions: [{ signal: text, seen: text, points: 1 }] },
        unknown: [{ signal: text, why: text }],
        rules: [{ name: text, red: true, said: text }],
      },
    }),
    riskPanel({ check: 'risk', answer: 'unknown', reasons: [text], figures: {} }),
    sparkline([1, undefined, 2], text),
    connectionsScreen({
      view: {
        connections: [connection],
        applications: [{ system: text, namespace: text, name: text, state: 'silent', problems: [problem] }],
        more: 1,
      },
      queues: [{ queue: text, due: 1, waiting: 1, running: 1, dead: 1, oldestDueMs: 1 }],
      unjoined: [{ source: text, what: text, remedy: text, count: 2, lastAt: EARLIER }],
      reports: [{ source: text, count: 1, lastAt: EARLIER }],
      refused: [{ sender: text, outcome: text, count: 1 }],
      tests: new Map(),
      now: NOW,
    }),
    sourceScreen({
      ...{ key: text, connection, test: { by: text, sentAt: EARLIER, receivedAt: NOW }, publicUrl: text, now: NOW },
      testing: { allowed: true, csrf: text },
    }),
  ];
}

const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*\/?>/g;
/** Nothing that loads, runs or redirects; what a page of its own has in its head is not drawn here. */
const NEVER = /^(?:script|img|image|iframe|object|embed|style|link|meta|base|video|audio|foreignObject)$/i;

/** Every `<` begins a tag of ours, with attributes of ours: what came from outside is text. */
function faultsIn({ text }: Html): string[] {
  const faults: string[] = [];
  const rest = text.replaceAll(TAG, (tag, _slash, name: string, attributes: string) => {
    if (NEVER.test(name)) faults.push(tag);
    if (/\s(?:on[a-z]+|style|srcdoc)(?:=|\s|$)/i.test(attributes.replaceAll(/"[^"]*"/g, '""'))) faults.push(tag);
    for (const [, address = ''] of attributes.matchAll(/\s(?:href|action|src)="([^"]*)"/g))
      if (!/^(?:\/(?!\/)|\?|#|https?:\/\/)/.test(address)) faults.push(tag);
    return '';
  });
  if (rest.includes('<')) faults.push(rest.slice(rest.indexOf('<'), rest.indexOf('<') + 80));
  return faults;
}

describe('text from outside', () => {
  const check = (text: string) => {
    for (const screen of screens(text)) expect(faultsIn(screen)).toEqual([]);
  };

  it.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    '</svg><script>',
    '{{constructor}}',
    '&lt;b&gt;',
    '\u202e\u0000<b>',
  ])('is text in every place of every screen: %j', check);

  it('is text, whatever it is', () => {
    const unit = fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '=',
      ' ',
      '/',
      ':',
      'javascript:',
      'onload',
      'a',
      '\\',
      '\n',
      '%',
      'é',
    );
    fc.assert(fc.property(fc.string({ unit, minLength: 1, maxLength: 20 }), check), { numRuns: 60 });
  });
});
