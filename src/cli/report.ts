import { Argument, type Command, Option } from 'commander';
import { parseDuration } from '../base/duration.ts';
import { newId } from '../base/ids.ts';
import { REPORT_STATES } from '../events/report.ts';
import { asJson, askServer, type ServerOptions } from './changes.ts';
import { EXIT, type Terminal } from './command.ts';
import { type CiFacts, readCi } from './report-ci.ts';
import { oneLine } from './table.ts';

const KINDS = ['build', 'image', 'manifest', 'pull-request', 'test', 'deploy', 'incident'] as const;
/** Between two attempts at first; doubled each time. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Flags that go into the report under these names. */
const TEXTS = {
  project: 'project',
  service: 'service',
  stage: 'stage',
  cluster: 'cluster',
  team: 'team',
  commit: 'commit',
  repository: 'repository',
  manifestCommit: 'manifestCommit',
  image: 'image',
  digest: 'digest',
  release: 'version',
  pullRequest: 'pullRequest',
  mergedBy: 'mergedBy',
  title: 'title',
  change: 'change',
  detail: 'detail',
  at: 'at',
} as const;

export interface ReportOptions extends ServerOptions, Partial<Record<keyof typeof TEXTS, string>> {
  state: string;
  author?: string;
  step?: string;
  runId?: string;
  runUrl?: string;
  retryFor: string;
  strict?: boolean;
  dryRun?: boolean;
  selfTest?: boolean;
}

const HELP = `
What GitHub Actions, GitLab CI, Azure Pipelines and Jenkins tell by their variables (commit, repository, run, author, pull
request) need not be said; flags win. Server and token come from LYNCEUS_SERVER and LYNCEUS_TOKEN.

Report before the step that can fail, and its end whatever comes of it:
  lynceus report build --state started
  make image || { lynceus report build --state failed --step 2/4:make; exit 1; }
  lynceus report image --digest "$DIGEST"

Exit codes: 0, also where the service cannot be reached (a report breaks no build); with --strict 1. 64 wrong usage.`;

/** Adds the command to the program. */
export function addReport(
  program: Command,
  remote: (command: Command) => Command,
  act: (kind: string | undefined, options: ReportOptions) => Promise<void>,
): void {
  const command = remote(
    program.command('report').description('tell of a step of a pipeline: build, image, manifests, pull request'),
  );
  command
    .addArgument(new Argument('[kind]').choices(KINDS))
    .addOption(new Option('--state <state>').choices(REPORT_STATES).default('finished'))
    .option('--service <name>', "as in the application's labels; else the name of the repository")
    .option('--project <name>')
    .option('--commit <sha>', 'the commit of the source, in full')
    .option('--repository <url>', 'the repository of the source')
    .option('--image <name>', 'registry/name:tag')
    .option('--digest <digest>', 'of the image, sha256:…')
    .option('--manifest-commit <sha>', 'the commit that the delivery system deploys, in full')
    .option('--pull-request <url>')
    .option('--merged-by <name>')
    .option('--release <version>', 'what people call it')
    .option('--stage <name>', 'of a test, a deployment or an incident')
    .option('--cluster <name>')
    .option('--team <name>')
    .option('--author <name>')
    .option('--title <text>', 'first line of the commit message')
    .option('--step <step>', 'where in the run: 2/4:go test')
    .option('--detail <text>', 'one line for people')
    .option('--change <id>', 'the change, where its id is known')
    .option('--run-id <id>', 'the same for all reports of one run')
    .option('--run-url <url>')
    .option('--at <time>', 'when it happened, ISO 8601')
    .option('--retry-for <duration>', 'how long to try', '30s')
    .option('--strict', 'fail where the report could not be made')
    .option('--dry-run', 'print the report and send nothing')
    .option('--self-test', 'ask what the report would be joined to; nothing is kept')
    .addHelpText('after', HELP)
    .action((kind: string | undefined, options: ReportOptions) => act(kind, options));
}

/** Sends one report. Where that cannot be done the pipeline goes on, unless it wants to know. */
export async function report(terminal: Terminal, kind: string | undefined, options: ReportOptions): Promise<number> {
  const retryMs = parseDuration(options.retryFor);
  const mistake = mistakeIn(kind, options, retryMs);
  if (mistake !== undefined) {
    terminal.err(mistake);
    return EXIT.usage;
  }
  const body = reportOf(kind ?? 'build', options, readCi(terminal));
  if (options.dryRun) {
    terminal.out(asJson(body));
    return EXIT.ok;
  }
  if (options.selfTest) return selfTest(terminal, options, body);
  const failed = await send(terminal, options, body, retryMs ?? 0);
  if (failed === undefined) {
    terminal.out(
      oneLine(`Reported ${body['kind']} ${body['state']}${body['service'] ? ` of ${body['service']}` : ''}`),
    );
    return EXIT.ok;
  }
  terminal.err(oneLine(`${options.strict ? '' : 'Warning: '}not reported: ${failed}`));
  return options.strict ? EXIT.failed : EXIT.ok;
}

function mistakeIn(kind: string | undefined, options: ReportOptions, retryMs: number | undefined): string | undefined {
  if (kind === undefined && !options.selfTest) return `Say what is reported: ${KINDS.join(', ')} (or --self-test)`;
  if (retryMs === undefined) return '--retry-for: must be a duration such as 30s';
  if (options.step !== undefined && !readStep(options.step)) return '--step: write 2/4:go test, or a name alone';
  return undefined;
}

/** What the flags say, and for the rest what the environment tells. */
function reportOf(kind: string, options: ReportOptions, ci: CiFacts | undefined): Record<string, unknown> {
  const { system, ...told } = ci ?? { system: 'pipeline' };
  // An empty text comes of a variable that a script forgot to set.
  const texts = Object.entries(TEXTS).flatMap(([flag, field]) => {
    const value = options[flag as keyof typeof TEXTS]?.trim();
    return value ? [[field, value] as const] : [];
  });
  const said = Object.fromEntries(texts);
  const service = said['service'] ?? serviceIn(said['repository'] ?? told.repository);
  const run = runOf(options, told.run);
  const step = options.step === undefined ? undefined : readStep(options.step);
  return {
    kind,
    state: options.state,
    id: newId(),
    source: system,
    at: new Date().toISOString(),
    ...told,
    ...said,
    ...(service === undefined ? {} : { service }),
    ...(options.author ? { author: options.author } : {}),
    ...(step === undefined ? {} : { step }),
    ...(run === undefined ? {} : { run }),
  };
}

function runOf({ runId, runUrl }: ReportOptions, told: CiFacts['run']): CiFacts['run'] | undefined {
  if (!runId) return told && { ...told, ...(runUrl ? { url: runUrl } : {}) };
  return { id: runId, ...(runUrl ? { url: runUrl } : {}) };
}

/** The last name in the path of a repository. */
function serviceIn(repository: string | undefined): string | undefined {
  return (
    repository
      ?.replace(/\.git$/, '')
      .replace(/\/+$/, '')
      .split(/[/:]/)
      .at(-1) || undefined
  );
}

/** `2/4:go test`, `2:go test`, `go test`. */
function readStep(text: string): { name: string; number?: number; of?: number } | undefined {
  const found = /^(?:(\d{1,4})(?:\/(\d{1,4}))?:)?\s*(.+)$/.exec(text.trim());
  if (!found) return undefined;
  const [, number, of, name = ''] = found;
  return { name, ...(number ? { number: Number(number) } : {}), ...(of ? { of: Number(of) } : {}) };
}

const JSON_BODY = { headers: { 'Content-Type': 'application/json' } };

/** Tries again what may pass by itself; the id makes sure that it is taken once. Answers what went wrong. */
async function send(
  terminal: Terminal,
  options: ServerOptions,
  data: Record<string, unknown>,
  retryMs: number,
): Promise<string | undefined> {
  const deadline = performance.now() + retryMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    const answer = await askServer(options, 'POST', '/api/v1/events', { ...JSON_BODY, data });
    if (answer.ok) return undefined;
    const { status, message } = answer;
    const mayPass = status === undefined || status >= 500 || status === 408 || status === 429;
    if (!mayPass || performance.now() + pauseMs > deadline || terminal.stop.aborted) return message;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

interface Check {
  understood: boolean;
  changes: string[];
  others: string[];
  reports: number;
  own?: string;
  advice?: { what: string; remedy: string };
}

/** Says whether the service can be reached, the token may report, and what a report like this would be joined to. */
async function selfTest(terminal: Terminal, options: ReportOptions, data: Record<string, unknown>): Promise<number> {
  terminal.out(asJson(data));
  const answer = await askServer<Check>(options, 'POST', '/api/v1/reports/check', { ...JSON_BODY, data });
  if (!answer.ok) {
    terminal.err(answer.message);
    return EXIT.failed;
  }
  const { changes, others, reports, own, advice } = answer.data;
  terminal.out(oneLine(`${options.server} takes it. Reports that it hangs together with: ${reports}.`));
  if (advice) {
    terminal.err(oneLine(`It could be joined to no change (events that ${advice.what}): ${advice.remedy}.`));
    return EXIT.failed;
  }
  const other = others.length > 0 ? ` What it names belongs to ${others.join(', ')}: give --service.` : '';
  terminal.out(
    oneLine(changes.length > 0 ? `Joins change ${changes.join(', ')}.` : `Joins no delivered change yet.${other}`),
  );
  if (own !== undefined && changes.length === 0) terminal.out(oneLine(`Until it is delivered it is change ${own}.`));
  return other === '' ? EXIT.ok : EXIT.failed;
}
