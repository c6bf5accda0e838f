import { isJsonObject } from '../base/json.ts';
import { durationMs } from './quantities.ts';
import type { Path } from './read-yaml.ts';
import { suggest } from './suggest.ts';
import { quote } from './validate.ts';

type Report = (path: Path, message: string, key?: string) => void;

const KINDS = ['previous', 'lastPassed', 'evaluation', 'deployed', 'stage', 'control'];
/** Each step asks every query: a day of steps is more than anybody wants to pay for. */
const MAX_STEPS = 100;
const DEFAULT_EVERY_MS = 60_000;
/** What queries can use without anybody naming it. */
const RESERVED = /^(?:PROJECT|STAGE|SERVICE|CONTEXT|DEPLOYMENT|REVISION|DURATION_SECONDS|START|END|LABEL)$/;

/** What no schema can say of a stage's `evaluation`. Works on any value. */
export function checkEvaluation(evaluation: unknown, path: Path, stages: readonly unknown[], report: Report): void {
  if (!isJsonObject(evaluation)) return;
  if ('watch' in evaluation && 'window' in evaluation)
    report(path, 'has both "watch" and "window": each says how long the judged period is, keep one', 'window');
  checkWatch(evaluation['watch'], [...path, 'watch'], report);
  const names = stages.map((stage) => (isJsonObject(stage) ? stage['name'] : undefined));
  checkComparison(evaluation['compareWith'], [...path, 'compareWith'], names, report);
}

function checkWatch(watch: unknown, path: Path, report: Report): void {
  if (!isJsonObject(watch)) return;
  const forMs = milliseconds(watch['for']);
  const everyMs = watch['every'] === undefined ? DEFAULT_EVERY_MS : milliseconds(watch['every']);
  if (forMs === undefined || everyMs === undefined) return;
  if (everyMs > forMs) report(path, `"every" (${sayEvery(watch['every'])}) is longer than "for": there is no step`);
  const steps = Math.ceil(forMs / everyMs);
  if (steps > MAX_STEPS) report(path, `makes ${steps} steps, at most ${MAX_STEPS}: take a longer "every"`);
  const failures = watch['failures'];
  if (typeof failures === 'number' && failures > steps)
    report([...path, 'failures'], `there are only ${steps} steps: so many can never fail`);
}

function sayEvery(every: unknown): string {
  return every === undefined ? '1m by default' : String(every);
}

function milliseconds(duration: unknown): number | undefined {
  return typeof duration === 'string' ? durationMs(duration) : undefined;
}

function checkComparison(compareWith: unknown, path: Path, stages: readonly unknown[], report: Report): void {
  if (!isJsonObject(compareWith)) return;
  const given = KINDS.filter((kind) => kind in compareWith);
  if (given.length === 0) report(path, `needs one of ${KINDS.join(', ')}`);
  for (const extra of given.slice(1)) report(path, `has both "${given[0]}" and "${extra}": keep one`, extra);
  const stage = compareWith['stage'];
  if (typeof stage === 'string' && !stages.includes(stage)) report([...path, 'stage'], sayUnknown(stage, stages));
  checkControl(compareWith['control'], [...path, 'control', 'variables'], report);
}

function sayUnknown(stage: string, stages: readonly unknown[]): string {
  const known = stages.filter((name) => typeof name === 'string');
  const meant = suggest(stage, known);
  return `there is no stage ${quote(stage)}, ${meant === undefined ? `stages: ${known.join(', ')}` : `did you mean "${meant}"?`}`;
}

/** With the same variables for both, a group would be compared with itself. */
function checkControl(control: unknown, path: Path, report: Report): void {
  const variables = isJsonObject(control) ? control['variables'] : undefined;
  if (!isJsonObject(variables)) return;
  const { experiment, control: other } = variables;
  if (!isJsonObject(experiment) || !isJsonObject(other)) return;
  for (const [group, names] of [
    ['experiment', Object.keys(experiment)],
    ['control', Object.keys(other)],
  ] as const) {
    for (const name of names.filter((one) => RESERVED.test(one)))
      report([...path, group], `${quote(name)} is filled in by Lynceus: choose another name`, name);
    const missing = Object.keys(group === 'control' ? experiment : other).filter((name) => !names.includes(name));
    if (missing.length > 0) report([...path, group], `lacks ${missing.join(', ')}, which the other group has`);
  }
  if (JSON.stringify(experiment) === JSON.stringify(other))
    report(path, 'are the same for both groups: then one is compared with itself');
}
