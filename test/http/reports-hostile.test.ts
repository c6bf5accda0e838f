import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reportedFacts } from '../../src/answers/journey.ts';
import type { Json, JsonObject } from '../../src/base/json.ts';
import { Refusal } from '../../src/http/problem.ts';
import { plainEvent } from '../../src/http/reports/plain.ts';
import { readReport } from '../../src/http/reports/read-report.ts';
import { reportCommit } from '../../src/runtime/journey.ts';
import { documentColumns, jobColumns } from '../../src/store/records.ts';
import { conformanceEvents } from '../support/cd-events.ts';

const NOW = new Date('2026-03-02T12:00:00Z');

/** What comes in reaches the store, or is refused in words; nothing else happens. */
function take(value: Json): 'kept' | 'refused' {
  try {
    const event = plainEvent(value, NOW);
    if (!event) return 'refused';
    const report = readReport(event, NOW);
    if (!report) return 'kept';
    const { documents = [], jobs = [] } = reportCommit(report);
    for (const document of documents) documentColumns(document);
    for (const job of jobs) jobColumns(job);
    for (const link of (reportedFacts([report])?.steps ?? []).flatMap(({ links }) => links))
      expect(link.url).toMatch(/^https?:\/\//i);
    expect(report.at <= report.heardAt).toBe(true);
    return 'kept';
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    return 'refused';
  }
}

/** Strings as they come from people who mean no good. */
const nasty = fc.constantFrom<Json>(
  ...[
    '',
    ' ',
    'x'.repeat(20_000),
    '🦊'.repeat(300),
    '\u202e\u0007\u001b[2J',
    '<script>alert(1)</script>',
    'javascript:alert(1)',
  ],
  ...[
    'https://user:pw@example.com/',
    '../../etc/passwd',
    'pkg:oci/a@sha256%3A',
    `pkg:oci/a@sha256%3A${'f'.repeat(64)}?repository_url=%E0%A4%A`,
  ],
  ...[
    '9999-12-31T23:59:59Z',
    '0000-01-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    'https://github.com/a/b/pull/999999999999',
  ],
  ...[null, true, -1, 1e308, [], {}, [[]], { id: 1 }],
);

const REPORT: JsonObject = {
  ...{ kind: 'image', state: 'finished', project: 'shop', service: 'checkout', stage: 'dev', cluster: 'eu', team: 't' },
  ...{ commit: 'a'.repeat(40), manifestCommit: 'b'.repeat(40), repository: 'https://github.com/a/b', image: 'a/b:1' },
  ...{ digest: `sha256:${'c'.repeat(64)}`, version: '1', pullRequest: 'https://github.com/a/b/pull/1', mergedBy: 'x' },
  ...{ author: { name: 'Ada', login: 'ada' }, title: 't', detail: 'd', step: { name: 's', number: 1, of: 2 }, id: 'i' },
  ...{ run: { id: '1', url: 'https://ci.example.com', attempt: 1 }, at: '2026-03-02T11:00:00Z', source: 'ci' },
};

function pathsIn(value: Json, path: readonly string[] = []): string[][] {
  const below = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [
    ...(path.length > 0 ? [[...path]] : []),
    ...below.flatMap(([key, one]) => pathsIn(one as Json, [...path, key])),
  ];
}

function withValue(value: Json, [key = '', ...rest]: readonly string[], put: Json): Json {
  const copy = structuredClone(value) as JsonObject;
  copy[key] = rest.length === 0 ? put : withValue(copy[key] ?? {}, rest, put);
  return copy;
}

describe('a report with something in the wrong place', () => {
  const examples: Json[] = [REPORT, ...conformanceEvents().map(([, event]) => event as unknown as Json)];

  it('is kept or refused, and nothing else', () => {
    expect(take(REPORT)).toBe('kept');
    const spoilt = fc
      .constantFrom(...examples)
      .chain((value) => fc.tuple(fc.constant(value), fc.constantFrom(...pathsIn(value)), nasty));
    fc.assert(
      fc.property(spoilt, ([value, path, put]) => {
        take(withValue(value, path, put));
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['https://github.com/acme', 'https://github.com/acme'],
    ['javascript://github.com/%0aalert(1)', 'https://github.com'],
    ['https://me:pw@github.com/acme', 'https://github.com'],
    ['ssh://git@github.com/acme', 'https://github.com'],
  ])('leads from a pull request at %s to an address that may be followed', (source, url) => {
    const context = { id: 'x', source: '/ci', type: 'dev.cdevents.change.merged.0.2.0', timestamp: NOW.toISOString() };
    const content = { repository: { id: 'acme/shop', source } };
    const event = plainEvent({ context, subject: { id: '12', content } }, NOW);
    const report = event && readReport(event, NOW);
    expect(report?.pullRequest).toEqual({ url, key: 'github.com/acme/shop/12', number: 12 });
    expect(reportedFacts(report ? [report] : [])?.pr?.url).toBe(url);
  });

  it('of any JSON at all is kept or refused, and nothing else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, another) => {
        take(one as Json);
        take({
          kind: 'build',
          state: 'started',
          ...(typeof one === 'object' && !Array.isArray(one) ? one : {}),
        } as Json);
        take({ context: one, subject: another } as Json);
      }),
      { numRuns: 300 },
    );
  });
});
