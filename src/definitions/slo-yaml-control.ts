import Type, { type Static } from 'typebox';
import { isJsonObject } from '../base/json.ts';
import type { ControlCriteria } from '../slo/canary.ts';
import type { Path } from './read-yaml.ts';

const Effect = Type.Number({ minimum: 0, maximum: 1_000_000, description: 'an effect size such as 1.1' });
const DEFAULT_CONFIDENCE = 0.98;

/** How an objective is compared with a control group: `control` of slo.yaml. */
export const Control = Type.Object(
  {
    failOn: Type.Union([Type.Literal('increase'), Type.Literal('decrease'), Type.Literal('either')], {
      description: 'which way is worse: increase, decrease or either',
    }),
    confidence: Type.Optional(Type.Number({ minimum: 0.5, maximum: 0.9999, description: 'a confidence such as 0.98' })),
    effectSizeMeasure: Type.Optional(Type.Union([Type.Literal('meanRatio'), Type.Literal('cles')])),
    allowedIncrease: Type.Optional(Effect),
    allowedDecrease: Type.Optional(Effect),
    criticalIncrease: Type.Optional(Effect),
    criticalDecrease: Type.Optional(Effect),
    critical: Type.Optional(Type.Boolean()),
    onNoData: Type.Optional(Type.Union([Type.Literal('fail'), Type.Literal('ignore')])),
    tolerance: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'a share such as 0.25' })),
    outlierFactor: Type.Optional(Type.Number({ minimum: 1, maximum: 100, description: 'a factor such as 3' })),
  },
  { additionalProperties: false, description: 'a comparison with a control group, such as {failOn: increase}' },
);

/** Fills in what the file leaves out. */
export function toControl(control: Static<typeof Control>): ControlCriteria {
  return {
    ...control,
    confidence: control.confidence ?? DEFAULT_CONFIDENCE,
    effectSizeMeasure: control.effectSizeMeasure ?? 'meanRatio',
    critical: control.critical ?? false,
    onNoData: control.onNoData ?? 'fail',
  };
}

type Report = (path: Path, message: string, key?: string) => void;
type Direction = 'Increase' | 'Decrease';

/** What the schema cannot say: limits on the wrong side of "no difference", and such as can never matter. */
export function checkControl(objective: unknown, path: Path, report: Report): void {
  const control = isJsonObject(objective) ? objective['control'] : undefined;
  if (!isJsonObject(objective) || !isJsonObject(control)) return;
  const here = [...path, 'control'];
  if (control['onNoData'] === 'ignore' && (control['critical'] === true || objective['key_sli'] === true)) {
    report(here, 'a critical (or key) objective cannot ignore that there is no data: leave out "onNoData"', 'onNoData');
  }
  for (const direction of ['Increase', 'Decrease'] as const) checkLimits(control, direction, here, report);
}

function checkLimits(control: Record<string, unknown>, direction: Direction, path: Path, report: Report): void {
  const cles = control['effectSizeMeasure'] === 'cles';
  const [allowed, critical] = [`allowed${direction}`, `critical${direction}`];
  for (const key of [allowed, critical]) {
    const limit = control[key];
    if (typeof limit !== 'number') continue;
    const range = rangeOf(cles, direction);
    if (limit < range.from || limit > range.to) report([...path, key], `must be ${range.said}, got ${limit}`);
    else if (control['failOn'] === (direction === 'Increase' ? 'decrease' : 'increase')) {
      report(path, `"${key}" never matters with failOn: ${control['failOn']}`, key);
    }
  }
  if (control[critical] !== undefined && control['critical'] !== true) {
    report(path, `"${critical}" never matters without critical: true`, critical);
  }
}

function rangeOf(cles: boolean, direction: Direction): { from: number; to: number; said: string } {
  const none = cles ? 0.5 : 1;
  const what = cles ? 'a share of pairs' : "a ratio to the control's mean";
  if (direction === 'Decrease') return { from: 0, to: none, said: `${what} from 0 to ${none}` };
  const to = cles ? 1 : Number.POSITIVE_INFINITY;
  return { from: none, to, said: cles ? `${what} from 0.5 to 1` : `${what} of at least 1, such as 1.1` };
}
