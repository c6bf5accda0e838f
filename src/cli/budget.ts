import { BUDGET_DEFAULTS, type ErrorBudgetPolicy, toErrorBudgetPolicy } from '../definitions/delivery-budget.ts';
import { parseOpenSlo } from '../definitions/openslo-yaml.ts';
import { durationMs, toRatio } from '../definitions/quantities.ts';
import { withDocument } from '../slo/budget-plan.ts';
import type { BudgetAnswer } from '../slo/budget-policy.ts';
import { RULE_COUNTS } from '../slo/budget-recorded.ts';
import { type AskBudget, askOf } from '../tasks/budget-source.ts';
import { judgeBudget } from '../tasks/check-budget.ts';
import { jsonReport, markdownReport, textReport } from './budget-report.ts';
import { EXIT, type Terminal, UsageError } from './command.ts';
import { accepted, readText, refuseEmpty } from './evaluate-input.ts';
import { metricsSources } from './evaluate-sources.ts';

export interface BudgetOptions {
  openslo?: string;
  objective?: string;
  sloth?: string;
  pyrra?: string;
  errorRatio?: string;
  total?: string;
  target?: string;
  window?: string;
  minimumRemaining?: string;
  minimumEvents?: string;
  url?: string;
  config?: string;
  provider?: string;
  variable: string[];
  output: 'text' | 'json' | 'markdown';
}

const CODES: Readonly<Record<BudgetAnswer['answer'], number>> = {
  pass: EXIT.ok,
  deny: EXIT.failed,
  'needs-approval': EXIT.warning,
  unknown: EXIT.notJudged,
};

/** Judges an error budget without a server, and says the answer by the exit code. */
export async function budget(terminal: Terminal, options: BudgetOptions): Promise<number> {
  try {
    const ask = askFor(terminal, options);
    const now = new Date();
    const policy = policyOf(terminal, options);
    if (policy === undefined) return await listRules(terminal, ask, now);
    const found = await judgeBudget(policy, ask, now);
    terminal.out(report(found, options.output, terminal.columns));
    return CODES[found.answer];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err(error.message);
    return EXIT.usage;
  }
}

function askFor(terminal: Terminal, options: BudgetOptions): AskBudget {
  const { url, config, variable: _, ...texts } = options;
  const dashed = Object.entries(texts).map(([key, text]) => [
    key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    text,
  ]);
  refuseEmpty(Object.fromEntries(dashed));
  if (url === undefined && config === undefined)
    throw new UsageError('say where the metrics are: --url of a Prometheus, or --config with a lynceus.yaml');
  if (url !== undefined && config !== undefined) throw new UsageError('--url and --config exclude each other');
  const variables = Object.fromEntries(options.variable.map(toVariable));
  return askOf({
    metricsSource: metricsSources(terminal, options),
    variables: () => variables,
    signal: terminal.stop,
  });
}

function toVariable(text: string): [string, string] {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_.]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new UsageError('--variable: write NAME=value, such as SERVICE=cart');
  refuseEmpty({ [`variable ${name}`]: value });
  return [name, value];
}

/** `undefined`: nothing was named, so that only a list of what there is can help. */
function policyOf(terminal: Terminal, options: BudgetOptions): ErrorBudgetPolicy | undefined {
  const { openslo, sloth, pyrra, errorRatio, target, window, total, objective } = options;
  const inline = [errorRatio, target, window];
  if (openslo === undefined && sloth === undefined && pyrra === undefined && inline.every((each) => each === undefined))
    return undefined;
  if (objective !== undefined && openslo === undefined)
    throw new UsageError('--objective chooses one of an OpenSLO file: name it with --openslo');
  if (total !== undefined && errorRatio === undefined)
    throw new UsageError('--total goes with --error-ratio; rules and OpenSLO files say it themselves');
  if (sloth !== undefined && pyrra !== undefined) throw new UsageError('--sloth and --pyrra exclude each other');
  if (openslo !== undefined && inline.some((each) => each !== undefined))
    throw new UsageError('--openslo states the error ratio, target and window already');
  if (openslo === undefined && inline.some((each) => each !== undefined) && inline.includes(undefined))
    throw new UsageError('--error-ratio, --target and --window go together');
  const policy = toErrorBudgetPolicy({
    ...(sloth === undefined ? {} : { sloth }),
    ...(pyrra === undefined ? {} : { pyrra: labelsOf(pyrra) }),
    ...(errorRatio === undefined ? {} : { errorRatio }),
    ...(total === undefined ? {} : { total }),
    ...(objective === undefined ? {} : { objective }),
    ...(target === undefined ? {} : { target: shareOf('--target', target) }),
    ...(window === undefined ? {} : { window: durationOf(window) }),
    minimumRemaining: shareOf(
      '--minimum-remaining',
      options.minimumRemaining ?? String(BUDGET_DEFAULTS.minimumRemaining),
    ),
    ...(options.minimumEvents === undefined ? {} : { minimumEvents: countOf(options.minimumEvents) }),
  });
  return openslo === undefined ? policy : withOpenSlo(terminal, policy, openslo);
}

function withOpenSlo(terminal: Terminal, policy: ErrorBudgetPolicy, file: string): ErrorBudgetPolicy {
  const resolved = withDocument(policy, accepted(parseOpenSlo(readText(terminal, file), file)));
  if (!resolved.ok) throw new UsageError(`${file} ${resolved.message}`);
  return resolved.policy;
}

/** `checkout-availability`, or labels: `slo=checkout-availability,namespace=shop`. */
function labelsOf(text: string): Record<string, string> {
  if (!text.includes('=')) return { slo: text };
  const labels = Object.fromEntries(
    text.split(',').map((part) => {
      const [, label, value] = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.+)$/.exec(part) ?? [];
      if (label === undefined || value === undefined)
        throw new UsageError('--pyrra: write the name of the SLO, or labels such as slo=cart,namespace=shop');
      return [label, value.trim()];
    }),
  );
  if (!('slo' in labels)) throw new UsageError('--pyrra: one of the labels is "slo"');
  return labels;
}

function shareOf(option: string, text: string): number {
  const share = /^\d+(?:\.\d+)? ?%?$/.test(text) ? toRatio(text.includes('%') ? text : Number(text)) : Number.NaN;
  const fits = option === '--target' ? share > 0 && share < 1 : share >= 0 && share <= 1;
  if (!fits) throw new UsageError(`${option}: write a share such as 0.999 or 99.9%`);
  return share;
}

function durationOf(text: string): string {
  const ms = durationMs(text);
  if (ms === undefined || ms < 60_000) throw new UsageError('--window: write a duration from 1m to 366d, such as 30d');
  return text;
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError('--minimum-events: write a whole number above 0');
  return Number(text);
}

/** What recording rules there are, for people who do not know yet. */
async function listRules(terminal: Terminal, ask: AskBudget, now: Date): Promise<number> {
  const moment = now.toISOString();
  const found = await Promise.all(
    Object.entries(RULE_COUNTS).map(async ([tool, query]) => {
      const reading = await ask(
        { name: tool, query, variables: {}, start: moment, end: moment, promql: true },
        undefined,
      );
      return { tool, reading };
    }),
  );
  for (const { tool, reading } of found)
    terminal.out(`${tool}: ${reading.ok ? `rules of ${reading.value} objectives` : reading.message}`);
  terminal.err('Name one: --sloth ID, --pyrra NAME, --openslo FILE, or --error-ratio, --target and --window.');
  return EXIT.usage;
}

function report(found: BudgetAnswer, output: BudgetOptions['output'], columns: number): string {
  if (output === 'json') return jsonReport(found);
  return output === 'markdown' ? markdownReport(found) : textReport(found, columns);
}
