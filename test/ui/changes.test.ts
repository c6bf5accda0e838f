import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { changeRow } from '../../src/answers/answer.ts';
import { BLOCKER_KINDS, type BlockerKind, type ChangeRow } from '../../src/answers/change-row.ts';
import { STYLE } from '../../src/ui/assets.ts';
import { changeRowHtml } from '../../src/ui/pages/change-row.ts';
import { changesPage } from '../../src/ui/pages/changes.ts';
import { changesAddress, NO_FILTER, readFilter } from '../../src/ui/pages/changes-filter.ts';
import { GOLDEN_NOW, goldenFacts } from '../support/change-rows.ts';

const quant = { p10: 420, p50: 840, p90: 1860, n: 34 };
const forecast = () => ({
  eta: { total: quant, text: '~14 min (7–31)' },
  odds: { p: 0.88, lo: 0.71, hi: 0.95, n: 34, basis: 'service' as const, text: '88 % (71–95, 34 runs)' },
});
const rowOf = (kind: BlockerKind): ChangeRow => changeRow(goldenFacts[kind], { now: GOLDEN_NOW, forecast });

/** What somebody reads or hears: no hover, no click, no colour. */
function textOf(html: string): string {
  const text = html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ (?=[:,])/g, '');
  return text
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

const html = (row: ChangeRow) => changeRowHtml(row, { now: GOLDEN_NOW }).text;

describe.each(BLOCKER_KINDS)('the row of a change that waits for: %s', (kind) => {
  const row = rowOf(kind);
  const text = textOf(html(row));

  it('says where it is, stage by stage', () => {
    const words = /Passed|Warning|Failed|Running|Waiting|Queued|Not started|No signal|Replaced|Skipped/;
    for (const { stage } of row.cells) expect(text).toMatch(new RegExp(`${stage} +(?:${words.source})`));
  });

  it('says what it waits for', () => {
    expect(row.blocker.kind).toBe(kind);
    expect(text).toContain(row.blocker.sentence);
  });

  it('says who can let it go on, or when, or that nobody has to', () => {
    if (kind === 'none') return expect(row.unblock).toEqual([]);
    const names = row.unblock.flatMap(({ who }) =>
      who.map((one) => ('group' in one ? one.group : (one.login ?? one.name))),
    );
    for (const name of names) expect(text).toContain(name);
    expect(text).toMatch(names.length > 0 ? /./ : /Nobody has to act|By itself about|no owner configured/);
  });

  it('says how long, and how likely', () => {
    expect(text).toMatch(/(?:waiting|stopped|for|done|replaced) \d+ (?:s|min|h|d)/);
    if (row.eta) expect(text).toContain(row.eta.text);
    if (row.odds) expect(text).toContain(row.odds.text);
    if (row.afterwards) expect(text).toContain(row.afterwards.text);
    expect(row.eta === null).toBe(kind === 'none' || row.state === 'failed');
  });
});

describe('a row', () => {
  it('can be found and replaced, and keeps what had the focus by name', () => {
    const row = rowOf('approval');
    expect(html(row)).toMatch(new RegExp(`^<tr id="row-${row.id}" data-rev="${row.rev}"`));
    const keys = [...html(row).matchAll(/<(?:a|button) [^>]*>/g)].map(([tag]) => /data-k="([^"]+)"/.exec(tag)?.[1]);
    expect(keys).not.toContain(undefined);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('tells of many stages by class, and names who is behind', () => {
    const stages = ['dev-1', 'dev-2', 'int', 'staging', 'prod-eu', 'prod-us', 'prod-ap'];
    const cells = stages.map((stage, at) => ({ stage, state: at < 5 ? ('passed' as const) : ('waiting' as const) }));
    const text = textOf(html({ ...rowOf('window'), cells }));
    expect(text).toContain('dev Passed 2 of 2 stages');
    expect(text).toContain('prod Waiting 1 of 3 stages: prod-us');
    expect(text).not.toContain('prod-ap');
  });

  it('counts clusters, and names the one that is behind', () => {
    const clusters = [
      { name: 'eu-1', state: 'passed' as const },
      { name: 'us-1', state: 'unknown' as const },
      { name: 'us-2', state: 'running' as const },
    ];
    const cells = [{ stage: 'prod', state: 'running' as const, version: '2', previous: '1', clusters }];
    expect(textOf(html({ ...rowOf('sync'), cells }))).toContain('1→2 1 of 3 clusters: us-1 no signal');
  });
});

describe('the list', () => {
  const screen = {
    ...{
      rows: BLOCKER_KINDS.map(rowOf),
      filter: NO_FILTER,
      total: 212,
      all: 212,
      before: 0,
      asOf: GOLDEN_NOW,
      stops: [],
    },
    counts: { mine: 5, team: 31, needsMe: 2, stopped: 3, moving: 12 },
    facets: { state: {}, stage: { prod: 40 }, team: { payments: 31 } },
  };
  const viewer = { name: 'lin', groups: [], teams: ['payments'], roles: ['viewer' as const], stages: 'all' as const };
  const frame = { now: GOLDEN_NOW, path: '/changes', screen: 'changes' as const, viewer };

  it('offers what people come for as one click each, with counts', () => {
    const page = changesPage(frame, { ...screen, next: '0~1~x' });
    for (const words of ['Mine 5', 'My team 31', 'Needs me 2', 'Stopped 3', 'Moving 12', '1–17 of 212'])
      expect(textOf(page)).toContain(words);
    expect(page).toContain('href="/changes?cursor=0~1~x&amp;at=17" rel="next"');
  });

  it('has the rest of its filters in one form that needs no script, and loses none of them', () => {
    const filter = readFilter({ needs: 'me', stage: ['prod', 'dev'], nonsense: 'x' });
    const page = changesPage(frame, { ...screen, filter });
    expect(page).toContain('<input type="hidden" name="needs" value="me">');
    expect(page).toContain('<input type="hidden" name="stage" value="dev">');
    expect(page).toContain('<option value="prod" selected>prod (40)</option>');
  });

  it('takes names to be typed where there may be thousands, and offers those in view', () => {
    const page = changesPage(frame, {
      ...screen,
      filter: readFilter({ author: 'somebody else', service: 'checkout' }),
    });
    expect(page).toMatch(/<details class="more-filters" open>/);
    expect(page).toMatch(/<input name="author" value="somebody else"[^>]* list="known-author">/);
    expect(page).toMatch(/<datalist id="known-service"><option value="/);
    expect(page).not.toMatch(/<select name="(?:author|project|service)"/);
    expect(changesPage(frame, screen)).toMatch(/<details class="more-filters"><summary[^>]*>Filters</);
  });

  it('breaks a long pair of versions between the two, never within one', () => {
    const cells = [{ stage: 'prod', state: 'waiting' as const, version: 'e0562e27', previous: 'fcb785a3' }];
    expect(html({ ...rowOf('approval'), cells })).toContain('fcb785a3→<wbr>e0562e27');
  });

  it('is light: 50 rows of four stages are at most 2,900 elements', () => {
    const stages = ['dev', 'staging', 'prod-eu', 'prod-us'];
    const rows = Array.from({ length: 50 }, (_, at): ChangeRow => {
      const cells = stages.map((stage) => ({
        stage,
        state: 'waiting' as const,
        version: '2',
        previous: '1',
        score: 98,
      }));
      return { ...rowOf('approval'), cells, id: `row-${at}`, service: `s${at}`, project: `p${at}` };
    });
    const elements = changesPage(frame, { ...screen, rows }).match(/<[a-z][^>]*>/g) ?? [];
    expect(elements.length).toBeLessThanOrEqual(2_900);
  });

  it('says why it is empty, and what to do', () => {
    const none = { ...screen, rows: [], total: 0 };
    const filter = readFilter({ q: 'zzz' });
    expect(textOf(changesPage(frame, { ...none, filter }))).toMatch(
      /No change matches\. 212 without filters\..*zzz.*Clear/,
    );
    const mine = changesPage(frame, { ...none, filter: readFilter({ mine: '' }) });
    expect(mine).toContain('href="/changes?team=payments">Changes of my team');
    const first = changesPage(frame, { ...none, all: 0 });
    expect(textOf(first)).toMatch(
      /No change yet.*lynceus\.dev\/project=.*kubectl apply.*git push.*Waiting for the first event/,
    );
  });

  it('says what could not be had, and who stopped the line', () => {
    const stops = [{ id: '1', at: GOLDEN_NOW, actor: 'ada', reason: 'incident 4711', stage: 'prod' }];
    const page = changesPage(frame, { ...screen, stops, problems: ['PR state unknown: GitHub answers 403'] });
    expect(textOf(page)).toContain('The line to prod is stopped by ada since 12:50: incident 4711');
    expect(textOf(page)).toContain('PR state unknown: GitHub answers 403');
  });

  it('is small: 50 rows within 15 kB, the style within 8 kB, both compressed', () => {
    const rows = Array.from({ length: 50 }, (_, at): ChangeRow => {
      const row = rowOf(BLOCKER_KINDS[at % BLOCKER_KINDS.length] ?? 'none');
      const odd = Math.imul(at + 1, 2654435761) >>> 0;
      return { ...row, id: `${odd}-${at}`, title: `${odd} ${row.title} ${at}`, service: `service-${odd % 97}` };
    });
    expect(gzipSync(changesPage(frame, { ...screen, rows })).length).toBeLessThan(15_000);
    expect(gzipSync(STYLE.body).length).toBeLessThan(8_000);
  });
});

describe('the filter of the list', () => {
  it('is what its address says, and the address says the same again', () => {
    const filter = readFilter({
      q: ' a1b2 ',
      mine: '',
      needs: 'me',
      state: ['failed', 'failed', ''],
      ring: 'r1',
      x: 'y',
    });
    expect(filter).toMatchObject({ q: 'a1b2', mine: true, needs: 'me', state: ['failed'], ring: ['r1'] });
    const address = changesAddress(filter);
    expect(address).toBe('/changes?q=a1b2&mine=1&needs=me&state=failed&ring=r1');
    expect(readFilter(Object.fromEntries(new URLSearchParams(address.split('?')[1])))).toEqual(filter);
  });
});
