import { toEvaluation } from '../slo/keptn/evaluation.ts';
import { asJson } from './changes.ts';
import { EXIT, type Terminal, UsageError } from './command.ts';
import { asSent, judgeAsKeptn } from './evaluate-as-keptn.ts';
import type { EvaluateOptions } from './evaluate-options.ts';
import { type EvaluationReport, junitReport, markdownReport, textReport } from './evaluate-report.ts';
import { evaluateStrictly } from './evaluate-strictly.ts';

/** Judges indicators without a server, and says the verdict by the exit code. */
export async function evaluate(terminal: Terminal, options: EvaluateOptions): Promise<number> {
  try {
    refuseTwice(options);
    const now = Date.now();
    const { report, document } =
      options.compatibility === 'keptn'
        ? await asKeptn(terminal, options, now)
        : await strictly(terminal, options, now);
    terminal.out(say(report, document, options.output, terminal));
    if (report.judged === false) return EXIT.notJudged;
    return { pass: EXIT.ok, warning: EXIT.warning, fail: EXIT.failed }[report.result];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err(error.message);
    return EXIT.usage;
  }
}

interface Outcome {
  report: EvaluationReport;
  /** For programs. */
  document: object;
}

async function strictly(terminal: Terminal, options: EvaluateOptions, nowMs: number): Promise<Outcome> {
  const report = await evaluateStrictly(terminal, options, nowMs);
  return { report, document: report };
}

/** For programs exactly what lighthouse sent; for people the same words as in strict mode. */
async function asKeptn(terminal: Terminal, options: EvaluateOptions, nowMs: number): Promise<Outcome> {
  const { data, slo } = await judgeAsKeptn(terminal, options, nowMs);
  const { project, stage, service, labels, evaluation } = data;
  const { timeStart: start, timeEnd: end } = evaluation;
  const about = { project, stage, service, ...(labels === undefined ? {} : { labels }) };
  const period = start === '' || end === '' ? {} : { period: { start, end } };
  return { report: { ...about, ...period, ...toEvaluation(data, slo) }, document: asSent(data) };
}

function say(
  report: EvaluationReport,
  document: object,
  output: EvaluateOptions['output'],
  { columns, colours = false }: Terminal,
): string {
  switch (output) {
    case 'json':
      return asJson(document);
    case 'markdown':
      return markdownReport(report);
    case 'junit':
      return junitReport(report);
    case 'text':
      return textReport(report, columns, colours);
  }
}

function refuseTwice(options: EvaluateOptions): void {
  const { url, config, ...files } = options;
  if (url !== undefined && config !== undefined) throw new UsageError('--url and --config exclude each other');
  if (options.compatibility === 'keptn' && options.report.length > 0)
    throw new UsageError('--report: Keptn read none; put its numbers into --values');
  const all = [files.slo, ...files.sli, files.values, files.previous, config];
  if (all.filter((file) => file === '-').length > 1) throw new UsageError('only one file can be "-"');
}
