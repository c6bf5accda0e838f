import type { GitHost } from '../adapters/git-hosts/git-host.ts';
import { findGitHost } from '../adapters/git-hosts/registry.ts';
import { sayProblem } from '../definitions/problem.ts';
import type { Application, Place } from '../events/application.ts';
import { createReader, findDelivery, readStage } from './delivery-files.ts';

/** Each is a file read from a Git host; more would eat into its limits. */
const MAX_READ = 200;
const SHA = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** What the delivery.yaml of each application says against its labels, by application; those not asked are absent. */
export async function stageProblems(
  hosts: readonly GitHost[],
  applications: readonly Application[],
  signal: AbortSignal,
): Promise<Map<Application, string>> {
  const problems = new Map<Application, string>();
  for (const application of applications.slice(0, MAX_READ)) {
    if (application.place === undefined || signal.aborted) continue;
    const problem = await stageProblem(hosts, application, application.place, signal);
    if (problem !== undefined) problems.set(application, problem);
  }
  return problems;
}

async function stageProblem(
  hosts: readonly GitHost[],
  application: Application,
  place: Place,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { hydration, deliveryFile } = application;
  const source = hydration?.dry ?? application.source;
  const revision = hydration === undefined ? application.targetRevision : hydration.drySha;
  if ((source.kind ?? 'git') !== 'git' || revision === undefined || !SHA.test(revision)) return undefined;
  const repository = { url: source.repoUrl };
  try {
    const host = findGitHost(hosts, repository);
    if (!host) return hosts.length === 0 ? undefined : `no Git host in lynceus.yaml serves ${source.repoUrl}`;
    const reader = createReader(host, repository, revision, signal);
    const file = await findDelivery(reader, { source, ...(deliveryFile === undefined ? {} : { deliveryFile }) });
    if (!file)
      return deliveryFile === undefined ? undefined : `the annotation names ${deliveryFile}, which is not there`;
    const found = readStage(file, place);
    return found.ok || found.problems[0] === undefined ? undefined : sayProblem(found.problems[0]);
  } catch (error) {
    return error instanceof Error ? error.message : 'delivery.yaml cannot be read';
  }
}
