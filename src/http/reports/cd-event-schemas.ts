import Type, { type Static, type TProperties, type TSchema } from 'typebox';

const text = (max = 1000) => Type.String({ minLength: 1, maxLength: max });
/** What is not read is not looked at: newer and older versions of a type differ there. */
const open = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: true });
const maybe = <T extends TSchema>(schema: T) => Type.Optional(schema);

const Named = open({ id: text(), source: maybe(text()) });
const Outcome = maybe(Type.String({ maxLength: 100 }));

/** What every CDEvent has, of version 0.3 and later of the specification. */
export const Envelope = open({
  context: open({
    specversion: maybe(Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+', maxLength: 50 })),
    version: maybe(Type.String({ maxLength: 50 })),
    id: text(512),
    source: text(1024),
    type: Type.String({
      pattern: '^dev\\.cdevents\\.[a-z]+\\.[a-z]+\\.\\d+\\.\\d+\\.\\d+(?:-[a-z]+)?$',
      maxLength: 200,
      description: 'a type of CDEvents, such as dev.cdevents.build.finished.0.3.0',
    }),
    timestamp: Type.String({ format: 'date-time', maxLength: 50 }),
    chainId: maybe(text(200)),
    links: maybe(Type.Array(Type.Object({}), { maxItems: 1000 })),
  }),
  subject: open({ id: text(), source: maybe(text()), content: maybe(open({})) }),
});
export type Envelope = Static<typeof Envelope>;

/** The content of the subjects that say something about a change. */
export const CONTENTS = {
  artifact: open({ change: maybe(Named), user: maybe(text()) }),
  build: open({ artifactId: maybe(text()) }),
  change: open({ description: maybe(Type.String({ maxLength: 10_000 })), repository: maybe(Named) }),
  incident: open({
    description: maybe(Type.String({ maxLength: 10_000 })),
    environment: Named,
    service: maybe(Named),
    artifactId: maybe(text()),
  }),
  pipelinerun: open({
    pipelineName: maybe(text()),
    uri: maybe(text()),
    outcome: Outcome,
    errors: maybe(Type.String()),
  }),
  service: open({ environment: maybe(Named), artifactId: maybe(text()) }),
  taskrun: open({
    taskName: maybe(text()),
    uri: maybe(text()),
    pipelineRun: maybe(Named),
    outcome: Outcome,
    errors: maybe(Type.String()),
  }),
  testcaserun: open({
    environment: maybe(Named),
    outcome: Outcome,
    reason: maybe(Type.String()),
    testSuiteRun: maybe(Named),
  }),
  testsuiterun: open({ environment: maybe(Named), outcome: Outcome, reason: maybe(Type.String()) }),
} as const;
export type Subject = keyof typeof CONTENTS;

/** All of them, every one optional: what a reader of any subject sees. */
export interface Content {
  artifactId?: string;
  change?: { id: string; source?: string };
  description?: string;
  environment?: { id: string };
  errors?: string;
  outcome?: string;
  pipelineName?: string;
  pipelineRun?: { id: string; source?: string };
  reason?: string;
  repository?: { id: string; source?: string };
  service?: { id: string };
  taskName?: string;
  testSuiteRun?: { id: string; source?: string };
  uri?: string;
  user?: string;
}
