import { AdapterError } from '../base/adapter-error.ts';
import type { Stage } from '../definitions/delivery.ts';
import { RISK_DEFAULTS, type RiskPolicy } from '../definitions/delivery-risk.ts';
import { parseDelivery } from '../definitions/delivery-yaml.ts';
import { sayProblem } from '../definitions/problem.ts';
import { assessRisk, type RiskAssessment } from '../risk/assess.ts';
import type { RiskSignals } from '../risk/signals.ts';
import { parseRiskSignals, probesOf } from '../risk/signals-file.ts';
import { mergeSignals, timeSignals } from '../risk/time.ts';
import { EXIT, type Terminal, UsageError } from './command.ts';
import { jsonReport, markdownReport, textReport } from './risk-report.ts';
import { repositorySignals } from './risk-repository.ts';

export interface RiskOptions {
  repository: string;
  from?: string;
  to?: string;
  signals?: string;
  policy?: string;
  stage?: string;
  output: string;
}

const CODES: Readonly<Record<RiskAssessment['answer'], number>> = {
  pass: EXIT.ok,
  deny: EXIT.failed,
  'needs-approval': EXIT.warning,
  unknown: EXIT.notJudged,
};

/** Assesses a change without a server: from a repository on this machine, from a file, or from both. */
export async function risk(terminal: Terminal, options: RiskOptions): Promise<number> {
  try {
    const found = await assess(terminal, options);
    terminal.out(report(found, options.output, terminal.columns));
    return CODES[found.answer];
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof AdapterError)) throw error;
    terminal.err(error.message);
    return error instanceof UsageError ? EXIT.usage : EXIT.notJudged;
  }
}

async function assess(terminal: Terminal, options: RiskOptions): Promise<RiskAssessment> {
  const { from, to, signals: file } = options;
  if ((from === undefined) !== (to === undefined)) throw new UsageError('--from and --to go together');
  if (from === undefined && file === undefined)
    throw new UsageError('name what is to be assessed: --from and --to of a repository, or --signals with a file');
  if (options.stage !== undefined && options.policy === undefined)
    throw new UsageError('--stage is one of a delivery.yaml: name it with --policy');
  const stage = options.policy === undefined ? undefined : readStage(terminal, options.policy, options.stage);
  const policy: RiskPolicy = stage?.checks.risk ?? { approvalAbove: RISK_DEFAULTS.approvalAbove };
  const git =
    from === undefined || to === undefined
      ? {}
      : await repositorySignals(options.repository, { from, to }, terminal.stop);
  const given = file === undefined ? probesOf(policy, undefined) : readSignals(terminal, file, policy);
  const time = timeSignals(stage?.checks.windows ?? [], new Date());
  return assessRisk(mergeSignals([git, time, given]), policy);
}

function readStage(terminal: Terminal, file: string, name: string | undefined): Stage {
  const parsed = parseDelivery(readText(terminal, file), file);
  if (!parsed.ok) throw new UsageError(parsed.problems.map(sayProblem).join('\n'));
  const { stages } = parsed.value;
  const names = stages.map((stage) => stage.name).join(', ');
  const found = name === undefined && stages.length === 1 ? stages[0] : stages.find((stage) => stage.name === name);
  if (found) return found;
  throw new UsageError(
    name === undefined ? `--stage: name one of ${names}` : `${file} has no stage "${name}", stages: ${names}`,
  );
}

function readSignals(terminal: Terminal, file: string, policy: RiskPolicy): RiskSignals {
  const parsed = parseRiskSignals(readText(terminal, file), file, policy);
  if (!parsed.ok) throw new UsageError(parsed.problems.map(sayProblem).join('\n'));
  return parsed.value;
}

function readText(terminal: Terminal, file: string): string {
  try {
    return terminal.sources.readFile(file);
  } catch {
    throw new UsageError(`${file}: cannot be read`);
  }
}

function report(found: RiskAssessment, output: string, columns: number): string {
  if (output === 'json') return jsonReport(found);
  return output === 'markdown' ? markdownReport(found) : textReport(found, columns);
}
