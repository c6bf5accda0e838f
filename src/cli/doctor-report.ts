import type { ApplicationState, ConnectionState, ConnectionsView } from '../views/connections.ts';
import { oneLine, table, wrap } from './table.ts';

/** Rows of applications that are well say nothing new after these. */
const SHOWN = 50;

/** What is connected and how it is, with the remedy under each problem. */
export function doctorReport({ connections, applications, more }: ConnectionsView, columns: number): string {
  const faulty = applications.filter(({ problems }) => problems.length > 0);
  return [
    connections.length === 0
      ? 'lynceus.yaml connects nothing.'
      : table([CONNECTION_HEAD, ...connections.map(connectionRow)], columns),
    ...connections.flatMap((connection) => connectionDetails(connection, columns)),
    '',
    ...applicationTable(applications, more, columns),
    ...faulty.flatMap((application) => applicationDetails(application, columns)),
    '',
    conclusion(connections, applications),
  ].join('\n');
}

/** Whether something does not work; what only may is told, and no failure. */
export function hasProblems({ connections, applications }: ConnectionsView): boolean {
  return connections.some(({ level }) => level === 'problem') || applications.some(isBroken);
}

function isBroken({ state }: ApplicationState): boolean {
  return state === 'incomplete' || state === 'unreadable';
}

const CONNECTION_HEAD = ['CONNECTION', 'KIND', 'STATE', 'FOUND'] as const;

function connectionRow({ name, kind, level, findings, labelled }: ConnectionState): string[] {
  const bad = findings.find((one) => one.level === level && level !== 'ok');
  const well = findings[0]?.sentence ?? 'cannot be checked before it is used';
  const count = labelled === undefined ? '' : `; ${labelled} labelled`;
  return [name, kind, level, bad?.sentence ?? well + count];
}

function connectionDetails({ name, kind, findings }: ConnectionState, columns: number): string[] {
  const bad = findings.filter(({ level }) => level !== 'ok');
  return bad.flatMap((finding) => [
    '',
    `${kind} ${name}: ${finding.level} (${finding.check})`,
    ...told(finding, columns),
  ]);
}

function told(
  { sentence, remedy }: Pick<ConnectionState['findings'][number], 'sentence' | 'remedy'>,
  columns: number,
): string[] {
  const indented = (text: string, first: string) =>
    wrap(oneLine(text), Math.max(20, columns - first.length)).map((line, at) => (at === 0 ? first : '    ') + line);
  return [...indented(sentence, '  '), ...(remedy === undefined ? [] : indented(remedy, '  → '))];
}

function applicationTable(applications: readonly ApplicationState[], more: number, columns: number): string[] {
  if (applications.length === 0) return ['No application with a label of ours was found.'];
  const rows = applications.slice(0, SHOWN).map(({ state, system, namespace, name, ...place }) => {
    const { project = '?', stage = '?', service = '?' } = place;
    return [`${system}/${namespace}/${name}`, `${project}/${stage}/${service}`, state];
  });
  const left = more + Math.max(0, applications.length - SHOWN);
  return [
    table([['APPLICATION', 'PROJECT/STAGE/SERVICE', 'STATE'], ...rows], columns),
    ...(left > 0 ? [`and ${left} more`] : []),
  ];
}

function applicationDetails({ system, namespace, name, state, problems }: ApplicationState, columns: number): string[] {
  return [
    '',
    oneLine(`${system}/${namespace}/${name}: ${state}`),
    ...problems.flatMap((problem) => told(problem, columns)),
  ];
}

function conclusion(connections: readonly ConnectionState[], applications: readonly ApplicationState[]): string {
  const problems = connections.flatMap(({ findings }) => findings).filter(({ level }) => level === 'problem').length;
  const broken = applications.filter(isBroken).length;
  if (problems + broken === 0) return 'All that could be checked is well.';
  return `Problems with connections: ${problems}. Applications with something wrong: ${broken}.`;
}
