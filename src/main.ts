#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { backup } from './cli/backup.ts';
import { changes, decide } from './cli/changes.ts';
import { EXIT, type Terminal } from './cli/command.ts';
import { migrate } from './cli/migrate.ts';
import { serve } from './cli/serve.ts';
import { validate } from './cli/validate.ts';
import { SETTINGS } from './config/environment.ts';

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());

const terminal: Terminal = {
  env: process.env,
  sources: { env: process.env, readFile: (path) => readFileSync(path, 'utf8') },
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  stop: stop.signal,
  columns: process.stdout.columns ?? 120,
  die: () => {
    process.kill(process.pid, 'SIGKILL');
    // Not reached: the signal cannot be caught.
    process.exit(EXIT.failed);
  },
};

async function main(args: readonly string[]): Promise<number> {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    terminal.err(
      `Lynceus needs Node 24 or newer, this is ${process.versions.node}: use "npm start", which brings its own.`,
    );
    return EXIT.failed;
  }
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
  for (const verdict of ['approve', 'reject', 'pause', 'resume', 'abort'] as const) {
    remote(program.command(`${verdict} <change>`).description(`${verdict} a change`))
      .requiredOption('--reason <text>', 'why, for the record')
      .option('--stage <name>', 'where several stages are under way')
      .action((id: string, options) => run(() => decide(terminal, options, verdict, id))());
  }
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

process.exitCode = await main(process.argv.slice(2));
