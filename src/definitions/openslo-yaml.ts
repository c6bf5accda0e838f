import { isJsonObject } from '../base/json.ts';
import type { BudgetDocument } from '../slo/budget-objective.ts';
import { readAlerts, readCondition, readPolicy } from './openslo-alerts.ts';
import { readMethod, readObjectives } from './openslo-objectives.ts';
import { at, entries, type FindObject, type Report, type Spot, textAt } from './openslo-spot.ts';
import { readWindow } from './openslo-window.ts';
import type { Parsed, Problem } from './problem.ts';
import { MAX_PROBLEMS, readYamlDocuments, type YamlDocument } from './read-yaml.ts';
import { problemAt, quote } from './validate.ts';

/** What we check of kinds that no budget needs to look into. */
const OTHER_KINDS: Readonly<Record<string, readonly string[]>> = {
  DataSource: ['type'],
  Service: [],
  AlertNotificationTarget: ['target'],
};
const KINDS = ['SLO', 'SLI', 'AlertPolicy', 'AlertCondition', ...Object.keys(OTHER_KINDS)];

/**
 * Reads what error budgets need from an OpenSLO v1 file: YAML or JSON, several documents or lists of
 * them; SLIs, data sources, alert policies and conditions may be documents of their own. Several SLOs
 * are judged together. What cannot be computed is refused by name rather than approximated. Never throws.
 *
 * PromQL queries contain `$WINDOW` (or Sloth's `{{.window}}`) where the range goes; with `counter: true`
 * a plain selector is enough and becomes `sum(increase(selector[$WINDOW]))`.
 */
export function parseOpenSlo(text: string, file: string): Parsed<BudgetDocument> {
  const documents = readYamlDocuments(text, file);
  if (!documents.ok) return documents;
  const problems: Problem[] = [];
  const report: Report = (spot, message, key) => problems.push(problemAt(spot.document, spot.path, message, key));
  const objects = documents.value.flatMap(toObjects).filter((spot) => isOpenSlo(spot, report));
  const find: FindObject = (kind, name) =>
    objects.find((spot) => at(spot, 'kind').value === kind && at(spot, 'metadata', 'name').value === name);
  checkNames(objects, report);
  for (const spot of objects) checkOther(spot, find, report);
  const slos = objects.filter((spot) => at(spot, 'kind').value === 'SLO');
  if (slos.length === 0 && problems.length === 0) {
    problems.push({ file, line: 1, column: 1, path: '', message: 'holds no document of kind SLO' });
  }
  const read = slos.flatMap((slo) => toDocument(slo, find, report) ?? []);
  const merged = merge(read, slos, report);
  if (merged !== undefined && problems.length === 0) return { ok: true, value: merged };
  return { ok: false, problems: unique(problems).slice(0, MAX_PROBLEMS) };
}

function toObjects(document: YamlDocument): Spot[] {
  const whole: Spot = { document, path: [], value: document.value };
  if (Array.isArray(document.value)) return entries(whole);
  return document.value === null || document.value === undefined ? [] : [whole];
}

function isOpenSlo(spot: Spot, report: Report): boolean {
  const [version, kind] = [at(spot, 'apiVersion'), at(spot, 'kind')];
  if (!isJsonObject(spot.value) || version.value === undefined || typeof kind.value !== 'string') {
    report(spot, 'is not an OpenSLO document: it needs apiVersion openslo/v1 and a kind');
    return false;
  }
  if (version.value !== 'openslo/v1') {
    report(version, `apiVersion must be openslo/v1, got ${quote(version.value)}`);
    return false;
  }
  if (KINDS.includes(kind.value)) return true;
  const remedy =
    kind.value === 'BudgetAdjustment'
      ? 'is not supported: what it excludes would change the budget'
      : `is none of ${KINDS.join(', ')}`;
  report(kind, `kind ${quote(kind.value)} ${remedy}`);
  return false;
}

function checkNames(objects: readonly Spot[], report: Report): void {
  const seen = new Set<string>();
  for (const spot of objects) {
    const name = textAt(at(spot, 'metadata', 'name'));
    const key = `${at(spot, 'kind').value} ${name}`;
    if (name === undefined) report(at(spot, 'metadata'), 'needs a "name"');
    else if (seen.has(key)) report(at(spot, 'metadata', 'name'), `there is another ${key}: names are unique by kind`);
    seen.add(key);
  }
}

function checkOther(spot: Spot, find: FindObject, report: Report): void {
  const kind = String(at(spot, 'kind').value);
  if (kind === 'AlertPolicy') readPolicy(spot, find, report);
  if (kind === 'AlertCondition') readCondition(spot, report);
  const sli = at(spot, 'spec');
  if (
    kind === 'SLI' &&
    (at(sli, 'ratioMetric').value === undefined) === (at(sli, 'thresholdMetric').value === undefined)
  )
    report(sli, 'needs exactly one of "ratioMetric" and "thresholdMetric"');
  for (const key of OTHER_KINDS[kind] ?? []) {
    if (textAt(at(spot, 'spec', key)) === undefined) report(at(spot, 'spec'), `needs a "${key}"`);
  }
}

function toDocument(slo: Spot, find: FindObject, report: Report): BudgetDocument | undefined {
  const spec = at(slo, 'spec');
  const service = textAt(at(spec, 'service'));
  if (service === undefined) report(spec, 'needs a "service"');
  const method = readMethod(at(spec, 'budgetingMethod'), report);
  const window = readWindow(at(spec, 'timeWindow'), report);
  const burnLimits = readAlerts(at(spec, 'alertPolicies'), find, report);
  // Objectives can only be checked for a method; for a broken one, what all methods need is.
  const found = readObjectives(
    spec,
    { method: method ?? 'occurrences', window: window ?? { kind: 'rolling', ms: 1 } },
    find,
    report,
  );
  const name = textAt(at(slo, 'metadata', 'name')) ?? '';
  return found && service !== undefined ? { name, service, ...found, burnLimits } : undefined;
}

/** One document of several SLOs: every objective counts, under the name of its SLO. */
function merge(read: readonly BudgetDocument[], slos: readonly Spot[], report: Report): BudgetDocument | undefined {
  const [first] = read;
  if (first === undefined) return undefined;
  if (read.length === 1) {
    const [only, second] = first.objectives;
    return only !== undefined && second === undefined
      ? { ...first, objectives: [{ ...only, name: '' }], composite: false }
      : first;
  }
  const composite = read.findIndex((document) => document.composite);
  if (composite >= 0) {
    report(slos[composite] ?? (slos[0] as Spot), 'is a composite SLO beside another SLO: move it to a file of its own');
    return undefined;
  }
  return {
    ...first,
    objectives: read.flatMap(({ name, objectives }) =>
      objectives.map((objective) => ({
        ...objective,
        name: objectives.length === 1 ? name : `${name} ${objective.name}`,
      })),
    ),
    burnLimits: read.flatMap(({ burnLimits }) => burnLimits),
  };
}

/** An SLI or a condition that several objectives use is wrong once. */
function unique(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ line, column, message }) => {
    const key = `${line}:${column} ${message}`;
    return seen.size < seen.add(key).size;
  });
}
