import type { Static } from 'typebox';
import Type from 'typebox';
import { ErrorBudget } from './delivery-budget.ts';
import { closed, File, MAX_STAGES, Name } from './delivery-names.ts';
import { Promotion } from './delivery-promotion.ts';
import { Risk } from './delivery-risk.ts';
import { OnFailure } from './delivery-rollback.ts';
import { SyncPolicyFile } from './delivery-sync.ts';
import { Windows } from './delivery-window.ts';
import { Duration, Ratio } from './quantities.ts';

const Branch = Type.String({ format: 'branch', description: 'a branch such as stage/dev' });
const Text = Type.String({ minLength: 1, maxLength: 500 });
const Provider = Type.String({ minLength: 1, maxLength: 100, description: 'the name of a metrics source' });
const HeaderName = { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$", description: 'the name of an HTTP header' };

const Latency = closed({
  p50: Type.Optional(Duration),
  p90: Type.Optional(Duration),
  p95: Type.Optional(Duration),
  p99: Type.Optional(Duration),
});

const Status = Type.Integer({ minimum: 200, maximum: 599 });

const Http = closed({
  path: Type.Optional(
    Type.String({ pattern: '^/[^\\s#\\\\]{0,1999}$', description: 'a path that starts with "/", such as /health' }),
  ),
  method: Type.Optional(
    Type.Union(
      ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) => Type.Literal(method)),
      { description: 'an HTTP method; default GET' },
    ),
  ),
  headers: Type.Optional(
    Type.Record(
      Type.String(),
      // What a header carries may be a secret: never quoted in a message.
      Type.String({
        writeOnly: true,
        pattern: '^[\\t\\x20-\\x7e\\x80-\\xff]{0,2000}$',
        description: 'text on one line',
      }),
      { propertyNames: HeaderName, maxProperties: 50 },
    ),
  ),
  requests: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  duration: Type.Optional(Duration),
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  expect: Type.Optional(
    closed({
      status: Type.Optional(
        Type.Union([Status, Type.Array(Status, { minItems: 1, maxItems: 50 })], {
          description: 'an HTTP status from 200 to 599, or a list of them',
        }),
      ),
      latency: Type.Optional(Latency),
      errorRate: Type.Optional(Ratio),
    }),
  ),
});

const Count = Type.Integer({ minimum: 1, maximum: 100 });

/** Names that a query can use as placeholders, with their values for one group. */
const Variables = Type.Record(Type.String(), Type.String({ maxLength: 200 }), {
  propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$', description: 'the name of a placeholder such as track' },
  minProperties: 1,
  maxProperties: 20,
  description: 'placeholders of a group, such as {track: canary}',
});

/** What an evaluation is compared with; that it is exactly one is checked elsewhere. */
export const comparisonSchema = closed({
  previous: Type.Optional(Count),
  lastPassed: Type.Optional(Count),
  evaluation: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'the id of an evaluation' })),
  deployed: Type.Optional(Type.Literal(true)),
  stage: Type.Optional(Name),
  control: Type.Optional(
    closed({ variables: closed({ experiment: Variables, control: Variables }), step: Type.Optional(Duration) }),
  ),
});

const Evaluation = closed({
  slo: File,
  sli: Type.Optional(
    Type.Union([File, Type.Array(File, { minItems: 1, maxItems: 20 })], { description: 'a file, or a list of files' }),
  ),
  window: Type.Optional(Duration),
  watch: Type.Optional(closed({ for: Duration, every: Type.Optional(Duration), failures: Type.Optional(Count) })),
  delay: Type.Optional(Duration),
  compareWith: Type.Optional(comparisonSchema),
  compatibility: Type.Optional(Type.Union([Type.Literal('strict'), Type.Literal('keptn')])),
  provider: Type.Optional(Provider),
});

const StageEntry = closed({
  name: Name,
  branch: Type.Optional(Branch),
  sync: Type.Optional(Type.Union([Type.Literal('automatic'), Type.Literal('gated')])),
  prune: Type.Optional(Type.Boolean()),
  syncPolicy: Type.Optional(SyncPolicyFile),
  checks: Type.Optional(
    closed({
      errorBudget: Type.Optional(ErrorBudget),
      risk: Type.Optional(Risk),
      windows: Type.Optional(Windows),
    }),
  ),
  approval: Type.Optional(
    closed({
      quorum: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })),
      groups: Type.Optional(Type.Array(Text, { maxItems: 50 })),
      expires: Type.Optional(Duration),
    }),
  ),
  rollout: Type.Optional(
    closed({
      settle: Type.Optional(Duration),
      timeout: Type.Optional(Duration),
      suspended: Type.Optional(
        Type.Union([Type.Literal('wait'), Type.Literal('accept')], {
          description: 'what a suspended application means: wait, or accept',
        }),
      ),
      paused: Type.Optional(
        Type.Union([Type.Literal('wait'), Type.Literal('promote'), Type.Literal('fail')], {
          description: 'what is done with a paused Rollout: wait, promote (once it is judged), or fail',
        }),
      ),
    }),
  ),
  tests: Type.Optional(Type.Array(closed({ http: Http }), { maxItems: 20 })),
  evaluation: Type.Optional(Evaluation),
  soak: Type.Optional(Duration),
  promotion: Type.Optional(Promotion),
  onFailure: Type.Optional(OnFailure),
});

/** JSON Schema of delivery.yaml; the types of the file follow from it. */
export const deliverySchema = Type.Object(
  {
    apiVersion: Type.Literal('lynceus.dev/v1'),
    kind: Type.Literal('Delivery'),
    metadata: closed({ name: Name }),
    spec: closed({
      repository: Type.Optional(
        closed({ url: Type.String({ minLength: 1, maxLength: 1000, writeOnly: true, pattern: '^[^\\s]+$' }) }),
      ),
      services: Type.Optional(Type.Array(Name, { maxItems: 500 })),
      stages: Type.Array(StageEntry, { minItems: 1, maxItems: MAX_STAGES }),
    }),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'delivery.yaml',
    description: 'the stages of a delivery and what each of them demands',
    additionalProperties: false,
  },
);

export type DeliveryFile = Static<typeof deliverySchema>;
export type StageFile = DeliveryFile['spec']['stages'][number];
