import Type, { type Static } from 'typebox';
import { derivedId } from '../../base/ids.ts';
import type { Json } from '../../base/json.ts';
import { readArtifact } from '../../events/artifact-url.ts';
import { readPullRequestUrl } from '../../events/pull-request-url.ts';
import { isFullCommit, REPORT_STATES, type Report } from '../../events/report.ts';
import { webUrl } from '../../events/written.ts';
import type { NewEvent } from '../../store/store.ts';
import { Refusal } from '../problem.ts';
import { checkFor, given, line, moment } from './fields.ts';

const text = (max: number, description: string) => Type.String({ minLength: 1, maxLength: max, description });
const commit = (description: string) =>
  Type.String({
    pattern: '^[0-9a-fA-F]{7,64}$',
    description: `${description}: hexadecimal digits, all 40 or 64 of them to be joined by it`,
  });
const url = (description: string) =>
  Type.String({ pattern: '^[Hh][Tt][Tt][Pp][Ss]?://', maxLength: 1000, description });

/** What may be said of a change, in a report of the short form and under `customData.lynceus` of a CDEvent. */
export const FACTS = {
  project: Type.Optional(text(100, 'name of the project, as in the labels of the application')),
  service: Type.Optional(text(100, 'name of the service, as in the labels of the application')),
  stage: Type.Optional(text(100, 'the stage or ring that it is about; without it the change as a whole')),
  cluster: Type.Optional(text(100, 'the cluster that it is about')),
  team: Type.Optional(text(100, 'who looks after the service')),
  commit: Type.Optional(commit('the commit of the source')),
  repository: Type.Optional(text(1000, 'URL of the repository of the source')),
  manifestCommit: Type.Optional(commit('the commit of what is deployed')),
  image: Type.Optional(text(1000, 'the image, with or without its tag')),
  digest: Type.Optional(
    Type.String({ pattern: '^sha256:[0-9a-f]{64}$', description: 'sha256: and 64 hexadecimal digits' }),
  ),
  version: Type.Optional(text(100, 'what people call it')),
  pullRequest: Type.Optional(url('the URL of the pull request')),
  mergedBy: Type.Optional(text(100, 'who merged the pull request')),
  author: Type.Optional(
    Type.Union([
      text(200, 'who made it'),
      Type.Object(
        { name: text(200, 'who made it'), login: Type.Optional(text(100, 'how the Git host calls them')) },
        { additionalProperties: false },
      ),
    ]),
  ),
  title: Type.Optional(text(1000, 'first line of the commit message')),
  change: Type.Optional(text(100, 'id of the change, as Lynceus names it')),
  step: Type.Optional(
    Type.Object(
      {
        name: text(200, 'which step of the run'),
        number: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
        of: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
      },
      { additionalProperties: false },
    ),
  ),
  detail: Type.Optional(text(2000, 'one line for people')),
} as const;

export const Facts = Type.Object(FACTS, { additionalProperties: false });
export type Facts = Static<typeof Facts>;

const literals = <T extends string>(values: readonly T[]) => Type.Enum([...values]);

/** A report in plain JSON, for pipelines that know no CDEvents. */
export const ShortReport = Type.Object(
  {
    kind: literals(['build', 'image', 'manifest', 'pull-request', 'test', 'deploy', 'incident'] as const),
    state: literals(REPORT_STATES),
    id: Type.Optional(text(200, 'the same for the same event: it is taken once')),
    source: Type.Optional(text(500, 'who reports')),
    run: Type.Optional(
      Type.Object(
        {
          id: text(300, 'the same for all reports of one run of the pipeline'),
          url: Type.Optional(url('where people look at the run')),
          attempt: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
        },
        { additionalProperties: false },
      ),
    ),
    at: Type.Optional(Type.String({ format: 'date-time', description: 'when it happened, ISO 8601' })),
    ...FACTS,
  },
  { additionalProperties: false },
);
export type ShortReport = Static<typeof ShortReport>;

/** Facts as a report has them. What is no full commit and no digest is kept apart: nothing is joined by it. */
export function factsOf(facts: Facts): Partial<Report> {
  const { author, pullRequest, mergedBy, step, digest } = facts;
  const artifact = facts.image === undefined ? {} : readArtifact(facts.image);
  const found = pullRequest === undefined ? undefined : readPullRequestUrl(pullRequest);
  if (pullRequest !== undefined && !found)
    throw wrong('pullRequest', 'must be the address of a pull request, such as https://github.com/acme/shop/pull/412');
  const [source, manifest] = [facts.commit?.toLowerCase(), facts.manifestCommit?.toLowerCase()];
  const short = [source, manifest].find((sha) => sha !== undefined && !isFullCommit(sha));
  const person = typeof author === 'string' ? { name: author } : author;
  const name = line(person?.name);
  const merger = line(mergedBy);
  const own = digest ?? artifact.digest;
  return given<Partial<Report>>({
    project: line(facts.project),
    service: line(facts.service),
    stage: line(facts.stage),
    cluster: line(facts.cluster),
    team: line(facts.team),
    commit: source !== undefined && isFullCommit(source) ? source : undefined,
    repository: repositoryOf(facts.repository),
    manifestCommit: manifest !== undefined && isFullCommit(manifest) ? manifest : undefined,
    image: line(artifact.image),
    digest: own,
    version: line(facts.version ?? artifact.tag),
    pullRequest: found && { ...found, ...(merger === undefined ? {} : { mergedBy: merger }) },
    author: name === undefined ? undefined : given({ name, login: line(person?.login) }),
    title: line(facts.title, 200),
    change: line(facts.change),
    step: step && { ...step, name: line(step.name) ?? '?' },
    detail: line(facts.detail),
    loose: looseOf(short, own === undefined ? artifact.tag : undefined),
  });
}

function wrong(path: string, message: string): Refusal {
  return new Refusal(400, 'invalid-event', `${path} ${message}`, [{ path, message }]);
}

function looseOf(commit: string | undefined, tag: string | undefined): Report['loose'] | undefined {
  if (commit === undefined && tag === undefined) return undefined;
  return given({ commit, tag: line(tag) });
}

/** The log keeps events as they came: a password in one would be there for all who may read. */
function repositoryOf(repository: string | undefined): string | undefined {
  const clean = line(repository, 1000);
  if (clean !== undefined && /^[a-z+]+:\/\/[^/@]*:[^/@]*@/i.test(clean))
    throw wrong('repository', 'must not carry a user and a password');
  return clean;
}

const checkShort = checkFor(ShortReport, 'report');

/**
 * A report of the short form out of its event.
 *
 * @throws {Refusal} naming the field that is wrong
 */
export function readShortReport(data: Json, event: NewEvent, now: Date): Report {
  const { kind, state, run, source, at, id: _, ...facts } = checkShort(data);
  const told = factsOf(facts);
  const { service, commit, digest, manifestCommit, pullRequest, stage, cluster } = told;
  const who = source ?? told.repository ?? run?.url;
  // Without a run, what it is about tells the runs apart; and numbers of runs of nobody in particular are not unique.
  const about = [service, commit, digest, manifestCommit, pullRequest?.key, stage, cluster].map((one) => one ?? '');
  const pipeline =
    run &&
    JSON.stringify([who ?? event.source, run.id, run.attempt ?? 1, ...(who === undefined ? [service, commit] : [])]);
  const url = webUrl(run?.url);
  return {
    ...told,
    id: derivedId('report', event.source, event.id),
    source: source ?? told.repository ?? event.source,
    type: event.type,
    kind,
    state,
    at: moment(at ?? event.time, now),
    heardAt: now.toISOString(),
    run:
      pipeline === undefined
        ? JSON.stringify([who ?? event.source, kind, ...about])
        : JSON.stringify([pipeline, kind, service ?? '', stage ?? '', cluster ?? '']),
    ...(pipeline === undefined ? {} : { partOf: pipeline }),
    ...(url === undefined ? {} : { url }),
  };
}
