import type { Static } from 'typebox';
import Type, { type TProperties } from 'typebox';
import { isJsonObject } from '../base/json.ts';
import { EXEMPT_KINDS, type ExemptKind } from '../slo/budget-exemption.ts';
import type { BudgetObjective, BurnLimit } from '../slo/budget-objective.ts';
import { Duration, durationMs, Ratio, toMs, toRatio } from './quantities.ts';
import type { Path } from './read-yaml.ts';

/** What a stage demands of the error budget. Fields that a plan of an older version lacks are optional. */
export interface ErrorBudgetPolicy {
  /** An OpenSLO file, relative to delivery.yaml; or `errorRatio`, `target` and `windowMs`; or recording rules. */
  openslo?: string;
  /** The one objective that counts, of several in the file; absent: all. */
  objective?: string;
  /** Query of the error ratio 0..1 (bad / total); `$WINDOW` stands for the range, e.g. `1h`. */
  errorRatio?: string;
  /** e.g. 0.999 */
  target?: number;
  windowMs?: number;
  /** Query of the number of events, with `$WINDOW`: low traffic is known by it. */
  total?: string;
  /** Recording rules of Sloth with this id, or of Pyrra with these labels: preferred where they give data. */
  sloth?: string;
  pyrra?: Record<string, string>;
  /** Name of the metrics source; absent: the only one, or the first. */
  provider?: string;
  /** Deny below this share of the budget, e.g. 0.2. Default 0. */
  minimumRemaining: number;
  /** Ask for approval below this share. */
  approvalBelow?: number;
  /** Deny when the budget burns faster than this over the window. */
  maximumBurnRate: BurnLimit[];
  /** Judge the standard pairs of windows; set where no burn rates are given. */
  standardBurnRates?: boolean;
  /** Fewer events than this are too few to judge. */
  minimumEvents?: number;
  /** How sure a denial on few events must be, above 0.5. Default 0.95. */
  confidence?: number;
  /** Changes that a denial does not keep out. */
  exempt?: ExemptKind[];
  /** What missing data means. Default `wait`: could not be judged, so the change waits. */
  onMissingData: 'wait' | 'needs-approval' | 'pass';
  /** Of the OpenSLO file, once it was read. */
  objectives?: BudgetObjective[];
  /** The objectives are parts of one, by their weights. */
  composite?: boolean;
}

export const BUDGET_DEFAULTS = {
  minimumRemaining: 0,
  approvalBelow: '25%',
  confidence: '95%',
  exempt: EXEMPT_KINDS,
  onMissingData: 'wait',
} as const;

const closed = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false });

const Query = Type.String({ minLength: 1, maxLength: 10_000 });
const Text = Type.String({ minLength: 1, maxLength: 200 });
const LABEL = { pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$', description: 'the name of a label' };

/** `checks.errorBudget` of a stage. */
export const ErrorBudget = closed({
  openslo: Type.Optional(
    Type.String({
      format: 'relative-file',
      description: 'a file in the folder of delivery.yaml or below it, such as slo.yaml',
    }),
  ),
  objective: Type.Optional(Text),
  errorRatio: Type.Optional(Query),
  target: Type.Optional(
    Type.Union(
      [Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }), Type.String({ pattern: '^\\d{1,2}(\\.\\d+)? ?%$' })],
      { description: 'a target below 1 such as 0.999 or 99.9%' },
    ),
  ),
  window: Type.Optional(Duration),
  total: Type.Optional(Query),
  sloth: Type.Optional(Text),
  pyrra: Type.Optional(
    Type.Record(Type.String(), Text, {
      propertyNames: LABEL,
      maxProperties: 20,
      description: "labels of Pyrra's rules, such as {slo: checkout-availability}",
    }),
  ),
  provider: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'the name of a metrics source' })),
  minimumRemaining: Type.Optional(Ratio),
  approvalBelow: Type.Optional(Ratio),
  maximumBurnRate: Type.Optional(
    Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }), {
      propertyNames: { format: 'duration-text', description: 'a duration such as 1h' },
      maxProperties: 10,
      description: 'burn rates by window, such as {1h: 14.4, 6h: 6}',
    }),
  ),
  minimumEvents: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
  confidence: Type.Optional(Ratio),
  exempt: Type.Optional(
    Type.Array(Type.Union(EXEMPT_KINDS.map((kind) => Type.Literal(kind))), { maxItems: 10, uniqueItems: true }),
  ),
  onMissingData: Type.Optional(
    Type.Union([Type.Literal('wait'), Type.Literal('needs-approval'), Type.Literal('pass')]),
  ),
});

/** A policy that the schema has accepted, with its defaults. */
export function toErrorBudgetPolicy(budget: Static<typeof ErrorBudget>): ErrorBudgetPolicy {
  const { target, window, approvalBelow, maximumBurnRate, confidence, exempt, ...rest } = budget;
  return {
    ...rest,
    ...(target === undefined ? {} : { target: toRatio(target) }),
    ...(window === undefined ? {} : { windowMs: toMs(window) }),
    minimumRemaining: toRatio(budget.minimumRemaining ?? BUDGET_DEFAULTS.minimumRemaining),
    approvalBelow: toRatio(approvalBelow ?? BUDGET_DEFAULTS.approvalBelow),
    maximumBurnRate: Object.entries(maximumBurnRate ?? {})
      .map(([burnWindow, factor]) => ({ windowMs: toMs(burnWindow), factor }))
      .sort((a, b) => a.windowMs - b.windowMs),
    ...(maximumBurnRate === undefined ? { standardBurnRates: true } : {}),
    confidence: toRatio(confidence ?? BUDGET_DEFAULTS.confidence),
    exempt: exempt ?? [...BUDGET_DEFAULTS.exempt],
    onMissingData: budget.onMissingData ?? BUDGET_DEFAULTS.onMissingData,
  };
}

type Report = (path: Path, message: string, key?: string) => void;

const INLINE = ['errorRatio', 'target', 'window'];

/** What no schema can say of `checks.errorBudget`: where the figures come from, and what does not go together. */
export function checkErrorBudget(budget: unknown, path: Path, report: Report): void {
  if (!isJsonObject(budget)) return;
  checkSource(budget, path, report);
  checkRange(budget, path, report);
  checkBurnWindows(budget, path, report);
  const { confidence, pyrra } = budget;
  const sure = typeof confidence === 'string' ? Number.parseFloat(confidence) / 100 : confidence;
  if (typeof sure === 'number' && (sure <= 0.5 || sure >= 1))
    report([...path, 'confidence'], 'must be above 50% and below 100%');
  if (isJsonObject(pyrra) && !('slo' in pyrra))
    report([...path, 'pyrra'], 'needs the label "slo", as in {slo: checkout-availability}');
}

function checkSource(budget: Record<string, unknown>, path: Path, report: Report): void {
  const inline = INLINE.filter((key) => key in budget);
  const recorded = ['sloth', 'pyrra'].filter((key) => key in budget);
  if (recorded.length > 1) report(path, 'has both "sloth" and "pyrra": keep one', 'pyrra');
  if ('openslo' in budget) {
    for (const key of [...inline, ...('total' in budget ? ['total'] : [])])
      report(path, `"${key}" is in the OpenSLO file already: keep one of the two`, key);
    return;
  }
  if ('objective' in budget)
    report(path, '"objective" chooses one of an OpenSLO file: name it with "openslo"', 'objective');
  if (inline.length === INLINE.length || (inline.length === 0 && recorded.length > 0)) return;
  const missing = INLINE.filter((key) => !(key in budget));
  report(
    path,
    `needs "openslo" with a file, "sloth" with an id, "pyrra" with labels, or "errorRatio", "target" and "window" (missing: ${missing.join(', ')})`,
  );
}

function checkRange(budget: Record<string, unknown>, path: Path, report: Report): void {
  const { errorRatio, maximumBurnRate, total } = budget;
  const burns = isJsonObject(maximumBurnRate) && Object.keys(maximumBurnRate).length > 0;
  if (typeof errorRatio === 'string' && !errorRatio.includes('$WINDOW') && burns) {
    report(
      [...path, 'errorRatio'],
      'must contain $WINDOW, as in rate(errors_total[$WINDOW]), to be asked for several windows',
    );
  }
  if (typeof total === 'string' && !total.includes('$WINDOW'))
    report([...path, 'total'], 'must contain $WINDOW, as in sum(increase(requests_total[$WINDOW]))');
}

function checkBurnWindows(budget: Record<string, unknown>, path: Path, report: Report): void {
  const { maximumBurnRate, window } = budget;
  const whole = typeof window === 'string' ? durationMs(window) : undefined;
  for (const rate of isJsonObject(maximumBurnRate) ? Object.keys(maximumBurnRate) : []) {
    if (whole !== undefined && (durationMs(rate) ?? 0) > whole) {
      report([...path, 'maximumBurnRate'], `"${rate}" is longer than the window of the budget`, rate);
    }
  }
}
