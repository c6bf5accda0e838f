import { isJsonObject } from '../base/json.ts';
import { checkErrorBudget } from './delivery-budget.ts';
import { checkEvaluation } from './delivery-evaluation-check.ts';
import { MAX_STAGES } from './delivery-names.ts';
import { checkPromotion } from './delivery-promotion.ts';
import { checkMeetings } from './delivery-promotion-graph.ts';
import { checkRisk } from './delivery-risk.ts';
import { checkRollback } from './delivery-rollback.ts';
import { checkSyncPolicy } from './delivery-sync.ts';
import { checkWindowList } from './delivery-window.ts';
import type { Problem } from './problem.ts';
import type { Path, YamlDocument } from './read-yaml.ts';
import { problemAt, quote } from './validate.ts';

const TEST_KINDS = ['http'];

type Report = (path: Path, message: string, key?: string) => void;

/**
 * What no schema can say: rules between different places of a delivery.yaml. Works on any value, so
 * that a file with a wrong type in one place still hears about the rest.
 */
export function crossCheck(document: YamlDocument): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, message, key) => problems.push(problemAt(document, path, message, key));
  const spec = at(document.value, 'spec');
  const stages = list(at(spec, 'stages')).slice(0, MAX_STAGES);
  checkRepository(at(spec, 'repository'), report);
  checkNames(stages, report);
  checkMeetings(stages, report);
  for (const [index, stage] of stages.entries()) checkStage(stage, ['spec', 'stages', index], stages, report);
  return problems;
}

function checkStage(stage: unknown, path: Path, stages: unknown[], report: Report): void {
  if (!isJsonObject(stage)) return;
  checkPromotion(stage, path, stages, report);
  checkRollback(stage, path, report);
  checkSyncPolicy(stage, path, report);
  checkEvaluation(stage['evaluation'], [...path, 'evaluation'], stages, report);
  const checks = at(stage, 'checks');
  checkErrorBudget(at(checks, 'errorBudget'), [...path, 'checks', 'errorBudget'], report);
  checkRisk(at(checks, 'risk'), [...path, 'checks', 'risk'], report);
  checkWindowList(at(checks, 'windows'), [...path, 'checks', 'windows'], report);
  for (const [index, test] of list(stage['tests']).entries()) checkTest(test, [...path, 'tests', index], report);
}

function checkRepository(repository: unknown, report: Report): void {
  const url = at(repository, 'url');
  // ssh://git@host and git@host:path name a user, which is no secret.
  if (typeof url === 'string' && (/^https?:\/\/[^/]*@/i.test(url) || /^[a-z+]+:\/\/[^/@]*:[^/@]*@/i.test(url))) {
    report(['spec', 'repository', 'url'], 'must not contain credentials: configure them with the Git host');
  }
}

function checkNames(stages: unknown[], report: Report): void {
  const seen = new Map<unknown, number>();
  for (const [index, stage] of stages.entries()) {
    const name = at(stage, 'name');
    if (typeof name !== 'string') continue;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    else
      report(
        ['spec', 'stages', index, 'name'],
        `there is a stage ${quote(name)} already (stages[${first}]): rename one`,
      );
  }
}

function checkTest(test: unknown, path: Path, report: Report): void {
  if (!isJsonObject(test)) return;
  for (const kind of Object.keys(test)) {
    if (!TEST_KINDS.includes(kind))
      report(path, `unknown kind of test ${quote(kind)}, known: ${TEST_KINDS.join(', ')}`, kind);
  }
  const http = at(test, 'http');
  if (isJsonObject(http) && 'requests' in http && 'duration' in http) {
    report([...path, 'http'], 'has both "requests" and "duration": keep one', 'duration');
  }
}

function at(value: unknown, key: string): unknown {
  return isJsonObject(value) ? value[key] : undefined;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
