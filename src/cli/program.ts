import { Command, CommanderError, Option } from 'commander';
import { SETTINGS } from '../config/environment.ts';
import { addApprove, approve } from './approve.ts';
import { backup } from './backup.ts';
import { budget } from './budget.ts';
import { addBudget } from './budget-options.ts';
import { changes, decide } from './changes.ts';
import { EXIT, type Terminal } from './command.ts';
import { addDoctor, doctor } from './doctor.ts';
import { evaluate } from './evaluate.ts';
import { addEvaluate } from './evaluate-options.ts';
import { addGate, waitForGate } from './gate.ts';
import { migrate } from './migrate.ts';
import { addPromote, promote } from './promote.ts';
import { risk } from './risk.ts';
import { serve } from './serve.ts';
import { addStopTheLine, stopTheLine } from './stop-the-line.ts';
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
  remote(program.command('changes').description('list changes with where they are'))
    .option('--project <name>')
    .option('--service <name>')
    .addOption(new Option('-o, --output <format>').choices(['text', 'json']).default('text'))
    .action((options) => run(() => changes(terminal, options))());
  addApprove(program, remote, (id, options) => run(() => approve(terminal, options, id))());
  for (const verdict of ['reject', 'pause', 'resume', 'abort', 'override'] as const) {
    const what =
      verdict === 'override' ? 'let the commit of a change through, whatever its checks say' : `${verdict} a change`;
    remote(program.command(`${verdict} <change>`).description(what))
      .requiredOption('--reason <text>', 'why, for the record')
      .option('--stage <name>', 'where several stages are under way')
      .action((id: string, options) => run(() => decide(terminal, options, verdict, id))());
  }
  remote(program.command('hold <change>').description('keep a change from going on, as a comment /lynceus hold does'))
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--stage <name>', 'where several stages are under way')
    .action((id: string, options) => run(() => decide(terminal, options, 'pause', id))());
  remote(program.command('retry <change>').description('take up a promotion whose pull request somebody closed'))
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--stage <name>', 'from which it was promoted')
    .action((id: string, options) => run(() => decide(terminal, options, 'retry', id))());
  remote(program.command('rollback <change>').description('take a stage back from its newest change, which is over'))
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--stage <name>', 'where the change is in several stages')
    .addOption(new Option('--by <way>', 'how, instead of what the stage says').choices(['sync', 'pullRequest']))
    .action((id: string, options) => run(() => decide(terminal, options, 'rollback', id))());
  addStopTheLine(program, remote, (what, options) => run(() => stopTheLine(terminal, what, options))());
  addPromote(program, remote, (change, options) => run(() => promote(terminal, options, change))());
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
