import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { Path } from './read-yaml.ts';
import { suggest } from './suggest.ts';
import { quote } from './validate.ts';

type Report = (path: Path, message: string, key?: string) => void;

/** Where a stage's promotion leads to: forward only, so that there is no way round in a circle. */
export function checkPromotionGraph(
  stage: JsonObject,
  promotion: JsonObject,
  place: Path,
  stages: readonly unknown[],
  report: Report,
): void {
  const here = stages.indexOf(stage);
  const { to } = promotion;
  if (to !== undefined) {
    for (const [index, one] of (Array.isArray(to) ? to : [to]).entries()) {
      if (typeof one === 'string')
        checkTarget(one, here, stages, Array.isArray(to) ? [...place, 'to', index] : [...place, 'to'], report);
    }
  } else if (here === stages.length - 1) {
    report(place, 'there is no stage after this one: remove "promotion" or name a stage with "to"');
  } else {
    const next = at(stages[here + 1], 'name');
    if (typeof next === 'string') checkTarget(next, here, stages, place, report);
  }
}

function checkTarget(to: string, here: number, stages: readonly unknown[], place: Path, report: Report): void {
  const names = stages.map((each) => at(each, 'name'));
  const target = names.indexOf(to);
  if (target < 0) report(place, sayUnknownStage(to, names));
  else if (target === here) report(place, 'a stage cannot be promoted to itself');
  else if (target < here) report(place, `stage ${quote(to)} comes before this one: a promotion goes forward`);
  else if (at(stages[target], 'branch') === undefined) {
    report(place, `stage ${quote(to)} has no "branch" to promote to: add one there`);
  }
}

function sayUnknownStage(to: string, names: readonly unknown[]): string {
  const known = names.filter((name) => typeof name === 'string');
  const meant = suggest(to, known);
  return `there is no stage ${quote(to)}, ${meant === undefined ? `stages: ${known.join(', ')}` : `did you mean "${meant}"?`}`;
}

function at(value: unknown, key: string): unknown {
  return isJsonObject(value) ? value[key] : undefined;
}
