import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import { failed } from '../adapters/failed-connection.ts';
import { ConfigurationError, readConnections } from '../app.ts';
import { systemClock } from '../base/clock.ts';
import type { Connections } from '../config/connections.ts';
import { parseEnvironment } from '../config/environment.ts';
import { inspect, toKnownNow, toName } from '../runtime/connections.ts';
import { stageProblems } from '../tasks/stage-problems.ts';
import { type ConnectionsView, connectionsView, type Inspection } from '../views/connections.ts';
import { asJson, askServer } from './changes.ts';
import { EXIT, type Terminal } from './command.ts';
import type { DoctorOptions } from './doctor-options.ts';
import { doctorReport, hasProblems } from './doctor-report.ts';

/** For all delivery.yaml together. */
const FILES_MS = 60_000;
const LIMIT = 10_000;

/** Looks at everything that is connected, changes nothing, and prints what was found. */
export async function doctor(terminal: Terminal, options: DoctorOptions): Promise<number> {
  const mistake = mistakeIn(options);
  if (mistake !== undefined) {
    terminal.err(mistake);
    return EXIT.usage;
  }
  const view = options.url === undefined ? await lookHere(terminal, options) : await lookThere(options);
  if (typeof view === 'string') {
    terminal.err(view);
    return EXIT.failed;
  }
  terminal.out(options.output === 'json' ? asJson(view) : doctorReport(view, terminal.columns));
  return hasProblems(view) ? EXIT.failed : EXIT.ok;
}

function mistakeIn({ config, url }: DoctorOptions): string | undefined {
  if (config !== undefined && url !== undefined)
    return 'Take either --config or --url: a service has its own configuration.';
  if (url !== undefined && !/^https?:\/\/[^/]/.test(url))
    return '--url: write a URL such as https://lynceus.example.com';
  return config === '' ? '--config: is empty' : undefined;
}

async function lookThere({ url = '', token }: DoctorOptions): Promise<ConnectionsView | string> {
  const server = { server: url, ...(token === undefined ? {} : { token }) };
  const answer = await askServer<ConnectionsView>(server, 'GET', '/api/v1/connections', { params: { limit: LIMIT } });
  if (!answer.ok) return answer.message.replace('--server', '--url');
  const { connections, applications } = (answer.data ?? {}) as Partial<ConnectionsView>;
  const isView = Array.isArray(connections) && Array.isArray(applications);
  return isView ? answer.data : 'The server answers, but not as Lynceus does. Is --url right?';
}

/** What was found, or why nothing could be looked at. */
async function lookHere(terminal: Terminal, { config }: DoctorOptions): Promise<ConnectionsView | string> {
  const env = config === undefined ? terminal.env : { ...terminal.env, LYNCEUS_CONFIG: config };
  const environment = parseEnvironment(env, terminal.sources.readFile);
  if (!environment.ok) return environment.problems.join('\n');
  try {
    return await look(readConnections(environment.value, terminal.sources), terminal.stop);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}

async function look({ checks, deliverySystems, gitHosts }: Connections, stop: AbortSignal): Promise<ConnectionsView> {
  const systems = new Map(deliverySystems.map(({ system }) => [system.name, system]));
  const inspections = await Promise.all(
    checks.map(async (check) => {
      const system = check.section === 'deliverySystems' ? systems.get(check.name) : undefined;
      const inspection = await inspect(check, system, systemClock, stop);
      const listed = system ? await labelledOf(system, inspection, stop) : [];
      return { key: `${check.section}/${check.name}`, inspection, listed };
    }),
  );
  const byKey = new Map(inspections.map(({ key, inspection }) => [key, inspection]));
  const applications = inspections.flatMap(({ listed }) => listed);
  const signal = AbortSignal.any([stop, AbortSignal.timeout(FILES_MS)]);
  const problems = await stageProblems(gitHosts, applications, signal);
  return connectionsView({
    names: checks.map(toName),
    inspection: ({ section, name }) => byKey.get(`${section}/${name}`),
    known: applications.flatMap((application) => toKnownNow(application, problems.get(application))),
    heard: [],
    now: systemClock.now(),
    limit: LIMIT,
  });
}

/** Only who could be asked for labels is asked for everything. */
async function labelledOf(system: DeliverySystem, { applications, findings }: Inspection, stop: AbortSignal) {
  try {
    return applications === undefined ? [] : await system.list({ signal: stop });
  } catch (error) {
    findings.push(failed('applications', error));
    return [];
  }
}
