import { describe, expect, it } from 'vitest';
import { changeRow } from '../../src/answers/answer.ts';
import { changeFacts } from '../../src/answers/change-facts.ts';
import type { Step } from '../../src/answers/step.ts';
import { journeySteps } from '../../src/answers/steps.ts';
import type { Viewer } from '../../src/answers/viewer.ts';
import { fold } from '../../src/engine/sequence.ts';
import type { SequenceEvent } from '../../src/events/types.ts';
import type { Frame } from '../../src/ui/frame.ts';
import { journeyOf } from '../../src/ui/pages/change/journey.ts';
import { changePage } from '../../src/ui/pages/change.ts';
import { changeView } from '../../src/views/change.ts';
import { failedGate, promoted, rollingOut, waitingForApproval } from '../support/journeys.ts';

const NOW = '2026-03-02T10:50:00.000Z';
const viewer = (changes: Partial<Viewer> = {}): Viewer => ({
  ...{ name: 'lin', groups: ['payments'], roles: ['viewer', 'approver'], stages: 'all', ...changes },
});
const frame = (changes: Partial<Frame> = {}): Frame => ({
  ...{ now: NOW, path: '/changes/ctx', screen: 'changes', viewer: viewer(), csrf: 'the-token', ...changes },
});
const BUILD: Step = {
  ...{ key: 'build', state: 'passed', attempt: 1, human: false, detail: 'go build' },
  ...{ startedAt: '2026-03-02T09:50:00Z', endedAt: '2026-03-02T09:56:00Z' },
  links: [{ text: 'run 4711', url: 'https://ci.example.com/4711' }],
};
const quant = { p10: 120, p50: 240, p90: 540, n: 34 };
const AHEAD = ['sync', 'evaluation'].map((step) => ({ stage: 'production', step, expected: quant }));

function screen(story: readonly (readonly SequenceEvent[])[]) {
  const states = story.map((events) => fold(events));
  const change = changeView(states, {
    progress: () => undefined,
    evidence: () => 'e'.repeat(64),
    isNewest: () => true,
  });
  if (!change) throw new Error('no change');
  const facts = changeFacts({ id: change.id, rev: 7, sequences: states });
  return {
    change,
    row: changeRow(facts, { now: NOW, viewer: viewer() }),
    steps: [BUILD, ...journeySteps(states)],
    ahead: AHEAD,
  };
}

const textOf = (html: string) => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

describe('the journey of a change', () => {
  it('goes from CI through what was done to what is still to come, each step once', () => {
    const { change, steps } = screen(waitingForApproval('checkout'));
    const sections = journeyOf({ change, steps, stages: ['dev', 'staging', 'production'], ahead: AHEAD });
    expect(sections.map(({ stage }) => stage)).toEqual([undefined, 'dev', 'staging', 'production']);
    expect(sections[0]?.legs.map(({ key, state }) => [key, state])).toEqual([['build', 'passed']]);
    const keys = sections.flatMap(({ legs }) => legs.map(({ key }) => key));
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toContain('staging.approval');
    expect(sections.at(-1)?.legs).toMatchObject([
      { key: 'production.sync', state: 'idle', expected: quant },
      { key: 'production.evaluation', state: 'idle', expected: quant },
    ]);
  });

  it('is shown with times, evidence in place, and what the future usually takes', () => {
    const text = textOf(changePage(frame(), screen(waitingForApproval('checkout'))));
    expect(text).toMatch(/checkout 8a3d1f0c: waiting in staging/);
    expect(text).toMatch(/09:50 → 09:56 Build go build · run 4711 6 min/);
    expect(text).toMatch(/error budget: pass · 82 % of the error budget is left[^.]*risk 41 is above 25/);
    expect(text).toMatch(/production: not started[\s\S]*~4 min Sync usually 4 min \(2 min to 9 min, 34 runs\)/);
  });

  it('is a line per stage: closed where it went well, open where something is to be done, waited for or mended', () => {
    const stages = (page: string) =>
      [...page.matchAll(/<details class="leg[^>]*?( open)?><summary[^>]*>(.*?)<\/summary>/gs)].map(
        ([, open, line = '']) => [textOf(line).trim(), open !== undefined],
      );
    expect(stages(changePage(frame(), screen(waitingForApproval('checkout'))))).toEqual([
      ['09:50 → 09:56 Build go build 6 min', false],
      [expect.stringMatching(/^10:\d\d → 10:\d\d dev: passed, 100 .*\d+ min$/), false],
      [expect.stringMatching(/^10:\d\d → now staging: waiting \d+ min$/), true],
      ['production: not started Sync ~4 min, SLO gate ~4 min', false],
    ]);
    expect(stages(changePage(frame(), screen(failedGate('basket')))).at(1)).toEqual([
      expect.stringContaining('dev: failed, 33.3'),
      true,
    ]);
  });

  it('says how to report a build where no pipeline has told of one, and only there', () => {
    const told = screen(promoted('search'));
    const words = /Build, image and manifest were not reported by a pipeline \( how to report \)/;
    const silent = { ...told, steps: told.steps.filter(({ stage }) => stage !== undefined) };
    expect(textOf(changePage(frame(), silent))).toMatch(words);
    expect(textOf(changePage(frame(), told))).not.toMatch(words);
    expect(textOf(changePage(frame(), { ...silent, row: { ...told.row, kind: 'rollback' } }))).not.toMatch(words);
  });

  it('is told of a change that only its pipeline knows so far', () => {
    const { row } = screen(promoted('search'));
    const text = textOf(changePage(frame(), { row, steps: [BUILD] }));
    expect(text).toMatch(/Journey 09:50 → 09:56 Build go build 6 min 09:50 → 09:56 Build go build · run 4711/);
  });

  it('opens the step that the address names', () => {
    const page = changePage(frame(), { ...screen(promoted('search')), step: 'dev.evaluation' });
    expect(page).toMatch(/<li class="step sel" id="[^"]*dev\.evaluation">[\s\S]*?<details open>/);
  });

  it('runs where nobody is waited for', () => {
    expect(textOf(changePage(frame(), screen(rollingOut('catalogue'))))).toMatch(/production: running .*Rollout/);
  });
});

describe('a step that failed', () => {
  const story = screen(promoted('search'));
  const drawn = (task: object) => {
    const [stage, ...rest] = story.change.stages;
    const [first] = stage?.tasks ?? [];
    if (!stage || !first) throw new Error('no task');
    const tasks = [{ ...first, result: 'fail', ...task }];
    return changePage(frame(), { ...story, change: { ...story.change, stages: [{ ...stage, tasks }, ...rest] } });
  };

  it('shows what its test said last, and what it measured', () => {
    const failures = Array.from({ length: 50 }, (_, at) => `line ${at} <script>`);
    const reports = [{ kind: 'http', path: '/cart', passed: false, failures, indicators: { error_rate: 0.25 } }];
    const page = drawn({ name: 'test', data: { reports } });
    expect(page).toContain('line 49 &lt;script&gt;</pre>');
    expect(page).not.toContain('line 9 ');
    expect(textOf(page)).toMatch(/http \/cart error rate 0\.25 .*the last 40 of 50 lines/);
  });

  it('says where the log of a Job is, as it is not read', () => {
    const page = drawn({ name: 'sync', message: 'sync failed: Job migrate failed', data: {} });
    expect(textOf(page)).toContain('Lynceus reads no logs of the cluster');
  });
});

describe('what a promotion changes', () => {
  it('is there in place, escaped, with signs and words; what is not shown says so', () => {
    const story = screen(promoted('search'));
    const [stage, ...rest] = story.change.stages;
    if (!stage) throw new Error('no stage');
    const diff = {
      files: [
        { path: 'values.yaml', additions: 1, deletions: 1, lines: ['- tag: 1.8.1', '+ tag: <b>1.8.2'], more: 2 },
        { path: 'secret.yaml', additions: 3, deletions: 0 },
      ],
      totalFiles: 3,
    };
    const drawn = (promotion: object) => {
      const promotions = [{ to: 'production', state: 'open' as const, ...promotion }];
      return changePage(frame(), {
        ...story,
        change: { ...story.change, stages: [{ ...stage, promotions }, ...rest] },
      });
    };
    const page = drawn({ diff });
    expect(page).toContain('- tag: 1.8.1\n+ tag: &lt;b&gt;1.8.2</pre>');
    expect(textOf(page)).toMatch(
      /Diff of manifests for production \(4 lines added, 1 removed\) values\.yaml 1 added, 1 removed .* and 2 more lines secret\.yaml 3 added, 0 removed: not shown here and 1 more file/,
    );
    const edits = { edits: [{ path: 'envs/prod.yaml', what: 'image.tag: 1.8.1 → 1.8.2' }], total: 2 };
    expect(textOf(drawn({ edits }))).toContain(
      'Edits for production (2) envs/prod.yaml : image.tag: 1.8.1 → 1.8.2 and 1 more edit',
    );
  });
});

describe('the decision', () => {
  it('rests on what is shown, and says what it binds', () => {
    const page = changePage(frame(), screen(waitingForApproval('checkout')));
    const card = page.slice(page.indexOf('id="decision"'), page.indexOf('</section>'));
    expect(textOf(card)).toMatch(
      /2 are needed\. Score 100 of 100 ?\. Pass 90, warn 75\..*Errors per request 0\.0004 \(≤ 0\.01\)/,
    );
    for (const field of [
      'csrf" value="the-token',
      'rev" value="7',
      `evidence" value="${'e'.repeat(64)}`,
      'stage" value="staging',
    ])
      expect(card).toContain(`<input type="hidden" name="${field}"`);
    expect(textOf(card)).toContain('revision 7 of this change');
    expect(card).not.toContain('disabled');
  });

  it.each<[string, Partial<Frame> | 'nobody', string]>([
    [
      'is in none of the groups',
      { viewer: viewer({ groups: ['search'] }) },
      'you are not in payments or release managers',
    ],
    ['only reads', { viewer: viewer({ roles: ['viewer'] }) }, 'it takes the role approver'],
    ['decides in other stages', { viewer: viewer({ stages: ['dev'] }) }, 'you may decide in dev only'],
    ['is not known', 'nobody', 'sign in first'],
  ])('is not offered to somebody who %s, and says so', (_who, changes, why) => {
    const { viewer: _, ...stranger } = frame({ signIn: '/sign-in' });
    const reader = changes === 'nobody' ? stranger : frame(changes);
    const page = changePage(reader, screen(waitingForApproval('checkout')));
    expect(textOf(page)).toContain(`Not possible for you: ${why}`);
    expect(page).toMatch(/value="approve"[^>]* disabled>/);
  });

  it('says how earlier ones ended that the gate warned of like this', () => {
    const story = screen(waitingForApproval('checkout'));
    const text = 'last 10 warned like this (<p95>): 8 fine, 2 failed later';
    const warnedBefore = { changes: 10, fine: 8, failed: 2, overtaken: 0, text };
    const row = { ...story.row, warnedBefore };
    expect(textOf(changePage(frame(), { ...story, row }))).toContain('Last 10 warned like this (&lt;p95&gt;): 8 fine');
  });

  it('is asked for in every stage that waits for one, in a form of its own', () => {
    const story = screen(waitingForApproval('checkout'));
    const [dev, staging] = story.change.stages;
    const decide = staging?.decide;
    if (!dev || !decide) throw new Error('nothing to decide');
    const page = changePage(frame(), {
      ...story,
      change: { ...story.change, stages: [{ ...dev, decide }, ...story.change.stages.slice(1)] },
    });
    expect(textOf(page)).toMatch(/Your decision for dev .*Your decision for staging/);
    expect(page.match(/id="decision"/g)).toHaveLength(1);
  });

  it('is left to operators where it changes the course of a delivery', () => {
    const verdicts = (page: string) => [...page.matchAll(/name="verdict" value="(\w+)"[^>]*?( disabled)?>/g)];
    const story = screen(waitingForApproval('checkout'));
    const offered = verdicts(changePage(frame({ viewer: viewer({ roles: ['operator'] }) }), story));
    expect(offered.map(([, verdict]) => verdict)).toEqual([
      'approve',
      'reject',
      'pause',
      'abort',
      'override',
      'rollback',
    ]);
    expect(offered.every(([, , off]) => off === undefined)).toBe(true);
    const forApprover = verdicts(changePage(frame(), story)).filter(([, , off]) => off === undefined);
    expect(forApprover.map(([, verdict]) => verdict)).toEqual(['approve', 'reject']);
  });

  it('keeps the reason of an action that was refused where it was typed', () => {
    const refused = { detail: 'it takes a role', reason: 'the gate is wrong', stage: 'dev', verdict: 'override' };
    const page = changePage(frame({ viewer: viewer({ roles: ['operator'] }) }), {
      ...screen(failedGate('basket')),
      refused,
    });
    expect(page).toMatch(/<details class="card" open>[\s\S]*the gate is wrong<\/textarea>/);
    expect(page.match(/the gate is wrong<\/textarea>/g)).toHaveLength(1);
  });
});

describe('a decision that comes too late', () => {
  it('loses nothing that was typed, though there is no form for it any more', () => {
    const refused = {
      detail: 'the change is no longer under way in this stage',
      reason: 'all good',
      verdict: 'approve',
    };
    const page = textOf(changePage(frame(), { ...screen(promoted('search')), refused }));
    expect(page).toMatch(/Nothing was decided: the change is no longer under way in this stage\. You wrote: all good/);
  });
});

describe('a change that was overtaken', () => {
  it('leads to the one that took its place', () => {
    const page = changePage(frame(), { ...screen(promoted('search')), newer: { id: 'ctx/new', text: 'search 1.9' } });
    expect(page).toContain('A later change took its place: <a href="/changes/ctx%2Fnew">search 1.9</a>');
  });
});
