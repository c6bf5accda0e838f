import type { Static } from 'typebox';
import Type from 'typebox';
import { type AdapterTools, defineAdapter } from '../adapter-kind.ts';
import { loginSettings } from '../http-settings.ts';
import type { MetricsSource } from './metrics-source.ts';
import { noData } from './missing.ts';
import { fillText, periodOf } from './placeholders.ts';
import { createReportFiles, reportSettings } from './report-files.ts';
import { figureOf, readReport, TEST_REPORT_FORMATS } from './reports/read-report.ts';

const MAX_NAMED = 20;

const TestReportConfig = Type.Object(
  {
    ...reportSettings,
    ...loginSettings,
    format: Type.Optional(Type.Union([...TEST_REPORT_FORMATS, 'auto' as const].map((format) => Type.Literal(format)))),
  },
  { additionalProperties: false },
);

/** The report of a load test or a test suite; a query is the name of one of its figures. */
export const testReport = defineAdapter<MetricsSource, typeof TestReportConfig>({
  kind: 'test-report',
  schema: TestReportConfig,
  create: createTestReport,
});

function createTestReport(name: string, config: Static<typeof TestReportConfig>, tools: AdapterTools): MetricsSource {
  // A report from before the period is of an earlier run: it says nothing about this change.
  const report = createReportFiles(`test report ${name}`, { maxAge: '0s', ...config }, tools);
  return {
    kind: 'test-report',
    name,
    async read(query, { signal } = {}) {
      const wanted = fillText(query.query, periodOf(query).variables).trim();
      const figures = readReport(config.format ?? 'auto', await report(query, signal));
      const value = figureOf(figures, wanted);
      return value === undefined ? noData(sayMissing(wanted, figures)) : { ok: true, value };
    },
  };
}

function sayMissing(wanted: string, figures: Readonly<Record<string, number>>): string {
  const names = Object.keys(figures).filter((name) => !/[./]/.test(name));
  const known = names.slice(0, MAX_NAMED).join(', ');
  return `the report has no ${JSON.stringify(wanted.slice(0, 100))}; it has ${known === '' ? 'other figures' : known}`;
}
