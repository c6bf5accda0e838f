import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts';
import { badReport, objectAt, type Report, textsOf } from './report.ts';
import { countFindings, type Finding, type Severity, severityOfScore } from './severities.ts';

/** For rules without a score, as code hosts show them. */
const SEVERITY_OF_LEVEL: Record<string, Severity> = {
  error: 'high',
  warning: 'medium',
  note: 'low',
  none: 'negligible',
};
/** Kinds of results that say nothing is wrong (SARIF 2.1.0, 3.27.9). */
const HARMLESS = ['pass', 'notApplicable', 'informational'];

/**
 * SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html). A severity is the rule's
 * `security-severity` where it has one (a CVSS score), else its level. Suppressed results do not count.
 *
 * @throws {AdapterError} `bad-response`, also when the tool says that it failed
 */
export function parseSarif(document: JsonObject): Report {
  const runs = document['runs'];
  if (document['version'] !== '2.1.0') throw badReport('SARIF', 'is not of version 2.1.0');
  if (!Array.isArray(runs) || !runs.every(isJsonObject) || runs.length === 0) throw badReport('SARIF', 'has no runs');
  const properties = runs.map((run) => objectAt(run, 'properties'));
  return {
    figures: countFindings(runs.flatMap(findingsOf), false),
    artifacts: properties.flatMap((of) => textsOf(of['imageName'], of['imageID'], of['repoTags'], of['repoDigests'])),
  };
}

function findingsOf(run: JsonObject): Finding[] {
  const invocations = Array.isArray(run['invocations']) ? run['invocations'] : [];
  if (invocations.some((one) => isJsonObject(one) && one['executionSuccessful'] === false)) {
    throw badReport('SARIF', 'says of its tool that it failed');
  }
  const results = run['results'];
  // Absent is not empty: the tool found nothing out (3.14.23).
  if (!Array.isArray(results) || !results.every(isJsonObject)) throw badReport('SARIF', 'has a run without results');
  const rules = rulesOf(run);
  return results.filter(counts).map((result) => ({ severity: severity(result, ruleOf(result, rules)) }));
}

function counts(result: JsonObject): boolean {
  const suppressions = Array.isArray(result['suppressions']) ? result['suppressions'] : [];
  const suppressed =
    suppressions.length > 0 &&
    suppressions.every((one) => isJsonObject(one) && (one['status'] ?? 'accepted') === 'accepted');
  return !suppressed && result['baselineState'] !== 'absent' && !HARMLESS.includes(String(result['kind']));
}

interface Rules {
  driver: JsonObject[];
  byId: ReadonlyMap<string, JsonObject>;
}

function rulesOf(run: JsonObject): Rules {
  const tool = objectAt(run, 'tool');
  const extensions = Array.isArray(tool['extensions']) ? tool['extensions'] : [];
  const [driver = [], ...others] = [tool['driver'] ?? null, ...extensions].map(rulesIn);
  const all = [...others.flat(), ...driver];
  return { driver, byId: new Map(all.map((rule) => [String(rule['id']), rule])) };
}

function rulesIn(component: Json): JsonObject[] {
  const rules = isJsonObject(component) && Array.isArray(component['rules']) ? component['rules'] : [];
  return rules.filter(isJsonObject);
}

/** By its name first: an index alone may count in another component's list. */
function ruleOf(result: JsonObject, { driver, byId }: Rules): JsonObject {
  const rule = objectAt(result, 'rule');
  const id = result['ruleId'] ?? rule['id'];
  if (typeof id === 'string') return byId.get(id) ?? {};
  return driver[Number(result['ruleIndex'] ?? rule['index'] ?? -1)] ?? {};
}

function severity(result: JsonObject, rule: JsonObject): Severity {
  const score =
    objectAt(result, 'properties')['security-severity'] ?? objectAt(rule, 'properties')['security-severity'];
  const level = result['level'] ?? objectAt(rule, 'defaultConfiguration')['level'] ?? 'warning';
  const found =
    score === undefined || score === null || score === ''
      ? SEVERITY_OF_LEVEL[String(level)]
      : severityOfScore(Number(score));
  if (found === undefined) throw badReport('SARIF', 'has a result with neither a known level nor a score from 0 to 10');
  return found;
}
