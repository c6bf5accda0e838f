import { type Command, Option } from 'commander';
import type { BudgetOptions } from './budget.ts';

const HELP = `
Where the figures come from: recording rules of Sloth or Pyrra, an OpenSLO file, or a query.
With rules and one of the others, the others are asked when the rules give no data.
LYNCEUS_PROVIDER_TOKEN is sent to --url as a bearer token.

Exit codes: 0 may be deployed, 1 denied, 2 a person must agree, 3 could not be judged, 64 wrong usage.

Examples:
  lynceus budget --url http://prometheus:9090 --sloth shop-checkout-availability
  lynceus budget --url http://prometheus:9090 --openslo slo.yaml --variable SERVICE=checkout
  lynceus budget --url http://prometheus:9090 --target 99.9% --window 30d \\
    --error-ratio 'sum(rate(errors_total[$WINDOW])) / sum(rate(requests_total[$WINDOW]))'`;

/** Adds the command to the program. */
export function addBudget(program: Command, act: (options: BudgetOptions) => Promise<void>): void {
  const collect = (value: string, all: string[]) => [...all, value];
  program
    .command('budget')
    .description('judge an error budget, without a server')
    .option('--openslo <file>', 'an OpenSLO v1 file; "-" for standard input')
    .option('--objective <name>', 'the only one of its objectives that counts')
    .option('--sloth <id>', 'recording rules of Sloth with this sloth_id')
    .option('--pyrra <name>', 'recording rules of Pyrra: a name, or labels such as slo=cart,namespace=shop')
    .option('--error-ratio <query>', 'bad / total, with $WINDOW where the range goes')
    .option('--total <query>', 'the number of events, with $WINDOW')
    .option('--target <share>', 'such as 99.9%')
    .option('--window <duration>', 'of the budget, such as 30d')
    .option('--minimum-remaining <share>', 'denied below this share of the budget (default: 0)')
    .option('--minimum-events <number>', 'fewer are too few to judge')
    .option('--url <url>', 'where the metrics source answers')
    .option('--config <file>', 'a lynceus.yaml with metrics sources')
    .option('--provider <name>', 'a kind such as prometheus with --url, else a name in --config')
    .option('--variable <NAME=value>', 'for $NAME in queries; more than once for several', collect, [])
    .addOption(new Option('-o, --output <format>').choices(['text', 'json', 'markdown']).default('text'))
    .addHelpText('after', HELP)
    .action(act);
}
