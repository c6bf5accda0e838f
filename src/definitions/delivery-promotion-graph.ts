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
      if (typeof one !== 'string') continue;
      const where = Array.isArray(to) ? [...place, 'to', index] : [...place, 'to'];
      checkTarget(one, here, stages, where, report);
    }
  } else if (here === stages.length - 1) {
    report(place, 'there is no stage after this one: remove "promotion" or name a stage with "to"');
  } else {
    const next = at(stages[here + 1], 'name');
    if (typeof next === 'string') checkTarget(next, here, stages, place, report);
  }
}

/**
 * Stages that several promote to: they wait for all of them, so a change that never reaches one of these would wait for
 * ever.
 */
export function checkMeetings(stages: readonly unknown[], report: Report): void {
  const begins: Set<number>[] = [];
  for (const [index, stage] of stages.entries()) {
    const before = stages.slice(0, index).flatMap((_, other) => {
      return leadsTo(other, stages).includes(at(stage, 'name')) ? [other] : [];
    });
    begins.push(
      before.length === 0 ? new Set([index]) : new Set(before.flatMap((other) => [...(begins[other] ?? [])])),
    );
    const last = before.at(-1);
    const apart = before.find((other) => ![...(begins[other] ?? [])].some((one) => begins[last ?? other]?.has(one)));
    if (last === undefined || apart === undefined) continue;
    const [one, another] = [apart, last].map((other) => quote(at(stages[other], 'name')));
    const message = `stages ${one} and ${another} both promote to ${quote(at(stage, 'name'))}, but no change reaches both: let one stage lead to them`;
    report(['spec', 'stages', last, 'promotion'], message);
  }
}

function leadsTo(stage: number, stages: readonly unknown[]): unknown[] {
  const promotion = at(stages[stage], 'promotion');
  if (!isJsonObject(promotion)) return [];
  const { to = at(stages[stage + 1], 'name') } = promotion;
  return Array.isArray(to) ? to : [to];
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
