import type { Static, TSchema } from 'typebox';
import Type from 'typebox';
import { isJsonObject } from '../base/json.ts';
import { parseCriterion } from '../slo/criteria.ts';
import type { CriteriaSet, Objective, Slo } from '../slo/evaluation.ts';
import { sloOfKeptn } from '../slo/keptn/slo.ts';
import type { Parsed, Problem } from './problem.ts';
import { MAX_PROBLEMS, type Path, readYaml, type YamlDocument } from './read-yaml.ts';
import { Control, checkControl, toControl } from './slo-yaml-control.ts';
import { parseKeptnSlo } from './slo-yaml-keptn.ts';
import { problemAt, quote, validator } from './validate.ts';

const MAX_OBJECTIVES = 200;

const nullable = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));

const CriteriaList = Type.Array(
  Type.Object(
    { criteria: Type.Array(Type.String({ maxLength: 100 }), { minItems: 1, maxItems: 50 }) },
    { additionalProperties: false },
  ),
  { maxItems: 50 },
);
const Percentage = Type.Union(
  [
    Type.Number({ exclusiveMinimum: 0, maximum: 100 }),
    Type.String({ pattern: '^(100(\\.0+)?|0*[1-9]\\d?(\\.\\d+)?|0*\\.\\d*[1-9]\\d*) ?%?$' }),
  ],
  { description: 'a percentage above 0 and up to 100, such as "90%"' },
);
const Text = Type.String({ minLength: 1, maxLength: 200 });

const ObjectiveEntry = Type.Object(
  {
    sli: Text,
    displayName: Type.Optional(Text),
    pass: Type.Optional(Type.Union([CriteriaList, Type.Null()])),
    warning: Type.Optional(Type.Union([CriteriaList, Type.Null()])),
    weight: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    key_sli: Type.Optional(Type.Boolean()),
    control: Type.Optional(Control),
  },
  { additionalProperties: false },
);

/** JSON Schema of slo.yaml: Keptn's format, without what Keptn accepts and then silently ignores. */
export const sloSchema = Type.Object(
  {
    spec_version: Type.Optional(Type.Union([Type.String(), Type.Number()], { description: 'a version such as "1.0"' })),
    filter: nullable(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()], { description: 'text' })),
    ),
    comparison: nullable(
      Type.Object(
        {
          compare_with: Type.Union([Type.Literal('single_result'), Type.Literal('several_results')], {
            description: 'write single_result, or several_results with number_of_comparison_results',
          }),
          include_result_with_score: Type.Optional(
            Type.Union([Type.Literal('all'), Type.Literal('pass'), Type.Literal('pass_or_warn')]),
          ),
          number_of_comparison_results: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
          aggregate_function: Type.Optional(
            Type.Union([Type.Literal('avg'), Type.Literal('p50'), Type.Literal('p90'), Type.Literal('p95')]),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    objectives: Type.Array(ObjectiveEntry, {
      minItems: 1,
      maxItems: MAX_OBJECTIVES,
      description: 'a list of objectives; without one nothing is judged',
    }),
    total_score: Type.Object(
      { pass: Percentage, warning: Type.Optional(Percentage) },
      { additionalProperties: false, description: 'the score that passes, such as {pass: "90%", warning: "75%"}' },
    ),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'slo.yaml',
    description: 'objectives for indicators and the score that passes',
    additionalProperties: false,
  },
);

type SloFile = Static<typeof sloSchema>;

const validate = validator(sloSchema);

/**
 * Reads an slo.yaml in Keptn's format, strictly: what Keptn lets pass without judging it (an unknown
 * aggregate, no total score, empty or invalid criteria, an unknown property) is a mistake with its
 * place. Defaults are Keptn's: without `comparison` the one result before, of any outcome, counts;
 * `several_results` are 3; aggregate `avg`; weight 1. With `keptn` it is read as Keptn did. Never throws.
 */
export function parseSlo(text: string, file: string, compatibility: 'strict' | 'keptn' = 'strict'): Parsed<Slo> {
  if (compatibility === 'keptn') {
    const lenient = parseKeptnSlo(text, file);
    return lenient.ok ? { ok: true, value: sloOfKeptn(lenient.value) } : lenient;
  }
  const document = readYaml(text, file);
  if (!document.ok) return document;
  const valid = validate(document.value);
  const problems = [...(valid.ok ? [] : valid.problems), ...crossCheck(document.value)];
  if (valid.ok && problems.length === 0) return { ok: true, value: toSlo(valid.value) };
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems: problems.slice(0, MAX_PROBLEMS) };
}

function toSlo(file: SloFile): Slo {
  return {
    comparison: toComparison(file.comparison ?? undefined),
    objectives: file.objectives.map(toObjective),
    totalScore: {
      pass: toPercent(file.total_score.pass),
      ...(file.total_score.warning === undefined ? {} : { warning: toPercent(file.total_score.warning) }),
    },
    filter: Object.fromEntries(Object.entries(file.filter ?? {}).map(([key, value]) => [key, String(value)])),
  };
}

function toComparison(comparison: NonNullable<SloFile['comparison']> | undefined): Slo['comparison'] {
  const several = comparison?.compare_with === 'several_results';
  return {
    count: several ? (comparison.number_of_comparison_results ?? 3) : 1,
    include: comparison?.include_result_with_score ?? 'all',
    aggregate: comparison?.aggregate_function ?? 'avg',
  };
}

function toObjective(objective: SloFile['objectives'][number]): Objective {
  return {
    sli: objective.sli,
    ...(objective.displayName === undefined ? {} : { displayName: objective.displayName }),
    pass: toCriteria(objective.pass),
    warning: toCriteria(objective.warning),
    weight: objective.weight ?? 1,
    keySli: objective.key_sli ?? false,
    ...(objective.control === undefined ? {} : { control: toControl(objective.control) }),
  };
}

function toCriteria(sets: SloFile['objectives'][number]['pass']): CriteriaSet[] {
  return (sets ?? []).map((set) => set.criteria);
}

function toPercent(value: number | string): number {
  return typeof value === 'number' ? value : Number(value.replace('%', '').trim());
}

function crossCheck(document: YamlDocument): Problem[] {
  const value = document.value;
  if (!isJsonObject(value)) return [];
  const problems: Problem[] = [];
  const report = (path: Path, message: string, key?: string) => problems.push(problemAt(document, path, message, key));
  const objectives = (Array.isArray(value['objectives']) ? value['objectives'] : []).slice(0, MAX_OBJECTIVES);
  for (const [index, objective] of objectives.entries()) checkObjective(objective, ['objectives', index], report);
  if (objectives.length > 0 && objectives.every((objective) => isJsonObject(objective) && !isJudged(objective))) {
    report(['objectives'], 'nothing is judged: give at least one objective "pass" criteria, or a "control" group');
  }
  checkTotalScore(value['total_score'], report);
  return problems;
}

type Report = (path: Path, message: string, key?: string) => void;

function checkObjective(objective: unknown, path: Path, report: Report): void {
  if (!isJsonObject(objective)) return;
  for (const kind of ['pass', 'warning']) checkCriteria(objective[kind], [...path, kind], report);
  checkControl(objective, path, report);
  if (hasCriteria(objective)) return;
  if (Array.isArray(objective['warning']) && objective['warning'].length > 0) {
    report(path, '"warning" without "pass" is never judged: add "pass" criteria', 'warning');
  }
  if (objective['key_sli'] === true && !isJudged(objective)) {
    report(path, '"key_sli" without "pass" criteria can never fail: add "pass" criteria', 'key_sli');
  }
}

function checkCriteria(sets: unknown, path: Path, report: Report): void {
  for (const [index, set] of (Array.isArray(sets) ? sets : []).entries()) {
    const criteria = isJsonObject(set) && Array.isArray(set['criteria']) ? set['criteria'] : [];
    for (const [at, text] of criteria.entries()) {
      if (typeof text !== 'string' || parseCriterion(text).ok) continue;
      report(
        [...path, index, 'criteria', at],
        `${quote(text)} is not a criterion (e.g. "<=500" or "<=+10%", without a unit)`,
      );
    }
  }
}

function checkTotalScore(score: unknown, report: Report): void {
  if (!isJsonObject(score)) return;
  const [pass, warning] = [score['pass'], score['warning']].map((each) =>
    typeof each === 'number' || typeof each === 'string' ? toPercent(each) : Number.NaN,
  );
  if (pass !== undefined && warning !== undefined && warning > pass) {
    report(['total_score', 'warning'], `must not be above "pass" (${pass}): nothing would ever be a warning`);
  }
}

function isJudged(objective: unknown): boolean {
  return hasCriteria(objective) || (isJsonObject(objective) && isJsonObject(objective['control']));
}

function hasCriteria(objective: unknown): boolean {
  return isJsonObject(objective) && Array.isArray(objective['pass']) && objective['pass'].length > 0;
}
