import { Command, CommanderError, Option } from 'commander';
import { SETTINGS } from '../config/environment.ts';
import { addApprove } from './approve-options.ts';
import { addBudget } from './budget-options.ts';
import { addChanges } from './changes-options.ts';
import { EXIT, type Terminal } from './command.ts';
import { addDecisions } from './decisions.ts';
import { addDoctor } from './doctor-options.ts';
import { addEvaluate } from './evaluate-options.ts';
import { addForecast, forecast } from './forecast.ts';
import { addGate, waitForGate } from './gate.ts';
import { addPromote } from './promote-options.ts';
import { addRebuild } from './rebuild-options.ts';
import { addReport, report } from './report.ts';
import { addStopTheLine, stopTheLine } from './stop-the-line.ts';
import { addToken, token } from './token.ts';

/**
 * Reads the command line and runs the command; answers the exit code. What a command needs is loaded when it is the one
 * that is run: the service alone takes a second.
 */
export async function runProgram(terminal: Terminal, args: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const run =
    <Given extends unknown[]>(act: (...given: Given) => number | Promise<number>) =>
    async (...given: Given) => {
      code = await act(...given);
    };
  const program = new Command('lynceus')
    .description('Gates, tests, SLO evaluations and promotion pull requests beside Argo CD and Flux.')
    .version('0.1.0')
    .exitOverride();
  program
    .command('serve')
    .description('run the service')
    .addHelpText('after', settingsHelp())
    .action(run(async () => (await import('./serve.ts')).serve(terminal)));
  program
    .command('migrate')
    .description("bring the store's schema up to date")
    .action(run(async () => (await import('./migrate.ts')).migrate(terminal)));
  addRebuild(
    program,
    run(async (options) => (await import('./rebuild.ts')).rebuild(terminal, options)),
  );
  program
    .command('backup <file>')
    .description('copy the embedded store while the service runs')
    .action(run(async (file: string) => (await import('./backup.ts')).backup(terminal, file)));
  program
    .command('validate <file...>')
    .description('check delivery.yaml, slo.yaml, sli.yaml and OpenSLO documents')
    .action(run(async (files: string[]) => (await import('./validate.ts')).validate(terminal, files)));
  addDoctor(
    program,
    run(async (options) => (await import('./doctor.ts')).doctor(terminal, options)),
  );
  addBudget(
    program,
    run(async (options) => (await import('./budget.ts')).budget(terminal, options)),
  );
  addEvaluate(
    program,
    run(async (options) => (await import('./evaluate.ts')).evaluate(terminal, options)),
  );
  program
    .command('risk')
    .description('assess how risky a change is, without a server')
    .option('--repository <path>', 'a Git repository on this machine', '.')
    .option('--from <revision>', 'what runs now')
    .option('--to <revision>', 'what is to run')
    .option('--signals <file>', 'more signals, as JSON or YAML')
    .option('--policy <file>', 'a delivery.yaml whose checks.risk is applied')
    .option('--stage <name>', 'which stage of it')
    .addOption(new Option('-o, --output <format>').choices(['text', 'json', 'markdown']).default('text'))
    .addHelpText('after', '\nExit codes: 0 may be deployed, 1 denied, 2 a person must agree, 3 could not be judged.')
    .action(run(async (options) => (await import('./risk.ts')).risk(terminal, options)));
  // From the environment by the option itself: a default value would stand in the help, the token too.
  const remote = (command: Command) =>
    command
      .addOption(
        new Option('--server <url>', 'where the service answers')
          .env('LYNCEUS_SERVER')
          .default('http://127.0.0.1:8080'),
      )
      .addOption(new Option('--token <token>', 'API token (better in the environment)').env('LYNCEUS_TOKEN'));
  addChanges(
    program,
    remote,
    run(async (options) => (await import('./changes-list.ts')).changes(terminal, options)),
    run(async (id, options) => (await import('./change-show.ts')).showChange(terminal, options, id)),
  );
  addApprove(
    program,
    remote,
    run(async (id, options) => (await import('./approve.ts')).approve(terminal, options, id)),
  );
  addDecisions(
    program,
    remote,
    run(async (verdict, id, options) => (await import('./changes.ts')).decide(terminal, options, verdict, id)),
  );
  addToken(
    program,
    remote,
    run((what, name, options) => token(terminal, what, name, options)),
  );
  addStopTheLine(
    program,
    remote,
    run((what, options) => stopTheLine(terminal, what, options)),
  );
  addPromote(
    program,
    remote,
    run(async (change, options) => (await import('./promote.ts')).promote(terminal, options, change)),
  );
  addReport(
    program,
    remote,
    run((kind, options) => report(terminal, kind, options)),
  );
  addForecast(
    program,
    remote,
    run((service, options) => forecast(terminal, options, service)),
  );
  addGate(
    program,
    run((options) => waitForGate(terminal, options)),
  );
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    terminal.err(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  }
}

function settingsHelp(): string {
  const width = Math.max(...SETTINGS.map(({ name }) => name.length));
  return [
    '',
    'Environment:',
    ...SETTINGS.map(
      ({ name, description, default: fallback }) =>
        `  ${name.padEnd(width)}  ${description}${fallback === '' ? '' : ` [${fallback}]`}`,
    ),
  ].join('\n');
}
