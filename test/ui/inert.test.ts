import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChangeRow, State } from '../../src/answers/change-row.ts';
import type { Step } from '../../src/answers/step.ts';
import { fold } from '../../src/engine/sequence.ts';
import type { Frame } from '../../src/ui/frame.ts';
import { type Html, html } from '../../src/ui/html.ts';
import { page } from '../../src/ui/layout.ts';
import { changePage } from '../../src/ui/pages/change.ts';
import { missingChangePage } from '../../src/ui/pages/change-missing.ts';
import { changeRowHtml } from '../../src/ui/pages/change-row.ts';
import { changesPage } from '../../src/ui/pages/changes.ts';
import { readFilter } from '../../src/ui/pages/changes-filter.ts';
import { chips, choose } from '../../src/ui/parts/filters.ts';
import { command, emptyState, notice } from '../../src/ui/parts/notice.ts';
import { pager } from '../../src/ui/parts/pager.ts';
import { handle, initials, person } from '../../src/ui/parts/person.ts';
import { reference } from '../../src/ui/parts/reference.ts';
import { stateMark } from '../../src/ui/parts/state.ts';
import { ago, clockTime, minute, moment } from '../../src/ui/parts/time.ts';
import { changeView } from '../../src/views/change.ts';
import { failedGate, reviewing, waitingForApproval } from '../support/journeys.ts';

/** Any text, most of them with what HTML, attributes and addresses are broken out of. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        '<',
        '>',
        '"',
        "'",
        '&',
        '`',
        '</script>',
        'javascript:alert(1)',
        '<zz ',
        ' onclick=zz',
        '\u202e',
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => `<zz9 "zz9='zz9'>${parts.join('')}`);

const NOW = '2026-11-21T12:00:00.000Z';

/** Nothing of a text became a tag, left its attribute, or is followed as a script. */
function expectInert(rendered: Html | string): void {
  const found = typeof rendered === 'string' ? rendered : rendered.text;
  expect(found).not.toMatch(/<zz|"zz9|'zz9|<\/script>\s*[^\n<]/);
  expect(found).not.toMatch(/(?:href|src|action)="\s*(?:javascript|data|vbscript):/i);
  // Every tag is one of ours, and holds no attribute that runs.
  for (const [tag] of found.matchAll(/<[a-z!/][^>]*>/g)) {
    expect(tag.slice(1).replaceAll(/"[^"]*"/g, '')).not.toMatch(/\son\w+=|style=|['"`<]/);
  }
}

function row(words: string): ChangeRow {
  const ref = { text: words, url: words, id: words };
  return {
    ...{ id: words, rev: 1, project: words, service: words, team: words, title: words, version: words },
    ...{ kind: 'config', author: { name: words, login: words }, commit: ref, pr: ref },
    ...{ createdAt: words, movedAt: words, state: 'waiting' },
    cells: ['dev', 'test', 'prod', 'p2', 'p3', words].map((stage) => ({
      ...{ stage, state: 'failed' as State, version: words, previous: words, detail: words },
      clusters: [
        { name: words, state: 'failed' as const },
        { name: words, state: 'passed' as const },
      ],
    })),
    blocker: { kind: 'approval', sentence: words, since: words, stage: words, stale: true },
    unblock: [
      {
        who: [{ name: words, login: words }, { group: words }],
        ...{ more: 1, you: true, until: words, does: words },
        action: { label: words, href: words, method: 'GET', allowed: true },
      },
      {
        who: [],
        more: 0,
        you: false,
        action: { label: words, href: words, method: 'POST', allowed: false, why: words },
      },
    ],
    eta: { text: words, total: { p10: 1, p50: 2, p90: 3, n: 4 } },
    odds: { p: 0.5, lo: 0.1, hi: 0.9, n: 3, basis: 'team', text: words },
  };
}

const frame = (words: string): Frame => ({
  ...{ now: NOW, path: words, signIn: words, screen: 'changes', live: words, csrf: words },
  viewer: { name: words, groups: [words], teams: [words], roles: ['viewer'], stages: [words] },
});

describe('texts of strangers', () => {
  it('stay texts in every part', () => {
    fc.assert(
      fc.property(text, (words) => {
        for (const part of [
          stateMark('failed', words),
          person({ name: words, login: words }),
          html`${handle({ group: words })}${initials(words)}`,
          reference({ text: words, url: words, id: words }, { copy: true, what: words }),
          ...[ago(words, words), clockTime(words, words), minute(words), moment(words)],
          pager({ before: 1, shown: 1, total: 2, first: words, next: words }),
          chips(words, [
            { text: words, href: `/changes?q=${encodeURIComponent(words.toWellFormed())}`, current: true },
          ]),
          choose(words, words, [{ value: words, text: words }], words),
          notice('failed', words),
          emptyState(words, command(words)),
        ])
          expectInert(part);
      }),
      { numRuns: 100 },
    );
  });

  it('stay texts in rows, lists and frames', () => {
    fc.assert(
      fc.property(text, (words) => {
        expectInert(changeRowHtml(row(words), { now: NOW }));
        const filter = readFilter({ q: words, stage: [words, 'b'], team: words, since: words, needs: words });
        const facets = { state: {}, stage: { [words]: 1 }, team: {} };
        const stops = [{ id: '1', at: NOW, actor: words, reason: words, project: words }];
        const screen = { filter, facets, stops, total: 1, all: 1, counts: {}, before: 0, asOf: NOW, problems: [words] };
        expectInert(changesPage(frame(words), { ...screen, rows: [row(words)], next: words }));
        expectInert(changesPage(frame(words), { ...screen, rows: [] }));
        expectInert(missingChangePage(frame(words), words, [row(words)]));
        expectInert(page({ ...frame(words), theme: 'dark' }, words, html`${words}`, { description: words }));
      }),
      { numRuns: 30 },
    );
  });

  it('stay texts on the page of a change, with the form that was refused', () => {
    fc.assert(
      fc.property(text, (words) => {
        const spoken = { message: words, reason: words, url: words, actor: words };
        const steps: Step[] = [
          {
            ...{ key: 'build', state: 'failed', attempt: 2, human: false, detail: words, cluster: words },
            links: [{ text: words, url: words }],
          },
        ];
        const refused = { detail: words, reason: words, verdict: 'approve', stage: 'staging', moved: { seen: words } };
        for (const story of [waitingForApproval('checkout', spoken), failedGate('b', spoken), reviewing('p', spoken)]) {
          const states = story.map((events) => fold(events));
          const change = changeView(states, { progress: () => undefined, evidence: () => 'e', isNewest: () => true });
          const screen = { steps, step: words, newer: { id: words, text: words }, refused };
          if (change) expectInert(changePage(frame(words), { ...screen, change, row: row(words) }));
        }
      }),
      { numRuns: 10 },
    );
  });
});
