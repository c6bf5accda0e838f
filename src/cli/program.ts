import { Command, CommanderError, Option } from 'commander';
import { SETTINGS } from '../config/environment.ts';
import { addApprove, approve } from './approve.ts';
import { backup } from './backup.ts';
import { budget } from './budget.ts';
import { addBudget } from './budget-options.ts';
import { showChange } from './change-show.ts';
import { decide } from './changes.ts';
import { changes } from './changes-list.ts';
import { addChanges } from './changes-options.ts';
import { EXIT, type Terminal } from './command.ts';
import { addDecisions } from './decisions.ts';
import { addDoctor, doctor } from './doctor.ts';
import { evaluate } from './evaluate.ts';
import { addEvaluate } from './evaluate-options.ts';
import { addForecast, forecast } from './forecast.ts';
import { addGate, waitForGate } from './gate.ts';
import { migrate } from './migrate.ts';
import { addPromote, promote } from './promote.ts';
import { addRebuild, rebuild } from './rebuild.ts';
import { addReport, report } from './report.ts';
import { risk } from './risk.ts';
import { serve } from './serve.ts';
import { addStopTheLine, stopTheLine } from './stop-the-line.ts';
import { addToken, token } from './token.ts';
import { validate } from './validate.ts';

/** Reads the command line and runs the command; answers the exit code. */
export async function runProgram(terminal: Terminal, args: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const run = (act: () => number | Promise<number>) => async () => {
    code = await act();
  };
  const program = new Command('lynceus')
    .description('Gates, tests, SLO evaluations and promotion pull requests beside Argo CD and Flux.')
    .version('0.1.0')
    .exitOverride();
  program
    .command('serve')
    .description('run the service')
    .addHelpText('after', settingsHelp())
    .action(run(() => serve(terminal)));
  program
    .command('migrate')
    .description("bring the store's schema up to date")
    .action(run(() => migrate(terminal)));
  addRebuild(program, (options) => run(() => rebuild(terminal, options))());
  program
    .command('backup <file>')
    .description('copy the embedded store while the service runs')
    .action((file: string) => run(() => backup(terminal, file))());
  program
    .command('validate <file...>')
    .description('check delivery.yaml, slo.yaml, sli.yaml and OpenSLO documents')
    .action((files: string[]) => run(() => validate(terminal, files))());
  addDoctor(program, (options) => run(() => doctor(terminal, options))());
  addBudget(program, (options) => run(() => budget(terminal, options))());
  addEvaluate(program, (options) => run(() => evaluate(terminal, options))());
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
    .action((options) => run(() => risk(terminal, options))());
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
    (options) => run(() => changes(terminal, options))(),
    (id, options) => run(() => showChange(terminal, options, id))(),
  );
  addApprove(program, remote, (id, options) => run(() => approve(terminal, options, id))());
  addDecisions(program, remote, (verdict, id, options) => run(() => decide(terminal, options, verdict, id))());
  addToken(program, remote, (what, name, options) => run(() => token(terminal, what, name, options))());
  addStopTheLine(program, remote, (what, options) => run(() => stopTheLine(terminal, what, options))());
  addPromote(program, remote, (change, options) => run(() => promote(terminal, options, change))());
  addReport(program, remote, (kind, options) => run(() => report(terminal, kind, options))());
  addForecast(program, remote, (service, options) => run(() => forecast(terminal, options, service))());
  addGate(program, (options) => run(() => waitForGate(terminal, options))());
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
