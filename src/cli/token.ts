import { type Command, Option } from 'commander';
import { PERMISSIONS, ROLES } from '../base/rights.ts';
import { asJson, askServer, type ServerOptions } from './changes.ts';
import { EXIT, type Terminal } from './command.ts';
import { oneLine, table } from './table.ts';

export interface TokenOptions extends ServerOptions {
  output?: string;
  role?: string[];
  may?: string[];
  stage?: string[];
  project?: string[];
  group?: string[];
  expires?: string;
}

interface TokenView {
  id: string;
  name: string;
  groups: string[];
  may?: string[];
  roles?: string[];
  stages?: string[];
  projects?: string[];
  madeBy: string;
  expiresAt: string;
  lastUsed?: string;
}

type What = 'create' | 'list' | 'revoke';
const HEAD = ['NAME', 'ALLOWS', 'STAGES', 'PROJECTS', 'EXPIRES', 'LAST USED', 'MADE BY'];

/** Adds `token` with its commands to the program. */
export function addToken(
  program: Command,
  remote: (command: Command) => Command,
  act: (what: What, name: string, options: TokenOptions) => Promise<void>,
): void {
  const token = program.command('token').description('API tokens that are made while the service runs');
  remote(token.command('create <name>').description('make one; it is told once'))
    .addOption(new Option('--role <role...>', 'what it allows').choices(ROLES))
    .addOption(new Option('--may <permission...>', 'what it allows, one by one').choices(PERMISSIONS))
    .option('--stage <name...>', 'where it may decide; without: everywhere')
    .option('--project <name...>', 'where it may report, decide and operate; without: everywhere')
    .option('--group <name...>', 'groups whose approvals it gives')
    .option('--expires <time>', 'when it ends, such as 30d', '90d')
    .action((name: string, options: TokenOptions) => act('create', name, options));
  remote(token.command('list').description('list them; the tokens themselves are not kept'))
    .addOption(new Option('-o, --output <format>').choices(['text', 'json']).default('text'))
    .action((options: TokenOptions) => act('list', '', options));
  remote(token.command('revoke <name>').description('revoke one, by its name or id')).action(
    (name: string, options: TokenOptions) => act('revoke', name, options),
  );
}

/** Makes, lists or revokes API tokens. */
export async function token(terminal: Terminal, what: What, name: string, options: TokenOptions): Promise<number> {
  const said = await { create, list, revoke }[what](terminal, options, name);
  if (said === undefined) return EXIT.ok;
  terminal.err(said);
  return EXIT.failed;
}

/** `undefined` when it is done, else why not. */
async function create(terminal: Terminal, options: TokenOptions, name: string): Promise<string | undefined> {
  const { role: roles, may, stage: stages, project: projects, group: groups, expires: expiresIn } = options;
  const data = { name, roles, may, stages, projects, groups, expiresIn };
  const answer = await askServer<TokenView & { token: string }>(options, 'POST', '/api/v1/tokens', { data });
  if (!answer.ok) return answer.message;
  // The token alone, so that a script can take it.
  terminal.out(answer.data.token);
  terminal.err(`It is good until ${oneLine(answer.data.expiresAt)}, and is not told again.`);
  return undefined;
}

async function list(terminal: Terminal, options: TokenOptions): Promise<string | undefined> {
  const answer = await askServer<{ tokens: TokenView[] }>(options, 'GET', '/api/v1/tokens', {});
  if (!answer.ok) return answer.message;
  const { tokens } = answer.data;
  if (options.output === 'json') terminal.out(asJson(answer.data));
  else if (tokens.length === 0) terminal.out('No token was made here; those of lynceus.yaml are not listed.');
  else terminal.out(table([HEAD, ...tokens.map(row)], terminal.columns));
  return undefined;
}

async function revoke(terminal: Terminal, options: TokenOptions, name: string): Promise<string | undefined> {
  const found = await askServer<{ tokens: TokenView[] }>(options, 'GET', '/api/v1/tokens', {});
  if (!found.ok) return found.message;
  const meant = found.data.tokens.find((one) => one.id === name || one.name === name);
  if (!meant) return `There is no token ${oneLine(name)}: see lynceus token list.`;
  const answer = await askServer(options, 'DELETE', `/api/v1/tokens/${encodeURIComponent(meant.id)}`, {});
  if (!answer.ok) return answer.message;
  terminal.out(`${oneLine(meant.name)} is revoked.`);
  return undefined;
}

function row({ name, roles = [], may = [], stages, projects, expiresAt, lastUsed, madeBy }: TokenView): string[] {
  return [
    name,
    [...roles, ...may].join(', '),
    stages?.join(', ') ?? 'all',
    projects?.join(', ') ?? 'all',
    expiresAt.slice(0, 10),
    lastUsed ?? 'never',
    madeBy,
  ];
}
