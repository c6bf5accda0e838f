import { type Command, Option } from 'commander';

export interface EvaluateOptions {
  slo?: string;
  sli: string[];
  provider?: string;
  url?: string;
  config?: string;
  values?: string;
  report: string[];
  previous?: string;
  start?: string;
  end?: string;
  timeframe?: string;
  project?: string;
  stage?: string;
  service?: string;
  label: string[];
  compatibility: 'strict' | 'keptn';
  output: 'text' | 'json' | 'markdown' | 'junit';
}

const HELP = `
Where the numbers come from: --values, a --report, or the queries of --sli asked at --provider.
A file may be "-" for standard input. LYNCEUS_PROVIDER_TOKEN is sent to --url as a bearer token.

Exit codes: 0 pass, 1 fail, 2 warning, 3 could not be judged (data is missing), 64 wrong usage or a file with mistakes.

Examples:
  lynceus evaluate --slo slo.yaml --values values.json
  lynceus evaluate --slo slo.yaml --report load=summary.json
  lynceus evaluate --slo slo.yaml --sli sli.yaml --url http://prometheus:9090 \\
    --service cart --stage dev --project shop --timeframe 15m --output markdown
  lynceus evaluate --slo slo.yaml --values v.json --previous earlier.json \\
    --compatibility keptn --output json`;

/** Adds the command to the program. */
export function addEvaluate(program: Command, act: (options: EvaluateOptions) => Promise<void>): void {
  const collect = (value: string, all: string[]) => [...all, value];
  program
    .command('evaluate')
    .description('judge indicators by an slo.yaml, without a server')
    .option('--slo <file>', 'the objectives')
    .option('--sli <file>', 'queries of the indicators; more than once: the later one wins', collect, [])
    .option('--provider <name>', 'a kind such as prometheus with --url, else a name in --config')
    .option('--url <url>', 'where the metrics source answers')
    .option('--config <file>', 'a lynceus.yaml with metrics sources')
    .option('--values <file>', "numbers as JSON: {name: number}, or Keptn's indicatorValues")
    .option(
      '--report <name=file>',
      'a report of k6, JMeter, JUnit, autocannon, Trivy, Grype or SARIF; more than once for several',
      collect,
      [],
    )
    .option('--previous <file>', 'earlier evaluations as JSON, newest first: [{id, data}], or what --output json gave')
    .option('--start <time>', 'of the period, such as 2026-01-31T12:00:00Z')
    .option('--end <time>', 'of the period')
    .option('--timeframe <duration>', 'length of the period, such as 15m; it ends now without --start')
    .option('--project <name>', 'for $PROJECT')
    .option('--stage <name>', 'for $STAGE')
    .option('--service <name>', 'for $SERVICE')
    .option('--label <key=value>', 'for $LABEL.key; more than once for several', collect, [])
    .addOption(
      new Option('--compatibility <mode>', "keptn: as Keptn's lighthouse judged")
        .choices(['strict', 'keptn'])
        .default('strict'),
    )
    .addOption(new Option('-o, --output <format>').choices(['text', 'json', 'markdown', 'junit']).default('text'))
    .addHelpText('after', HELP)
    .action(act);
}
