import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts';
import { badReport, objectAt, type Report, textsOf } from './report.ts';
import { countFindings, type Finding, severityOf } from './severities.ts';

/**
 * `grype -o json` (https://github.com/anchore/grype#output-formats). Counts its matches; those that its
 * configuration ignores are in a list of their own and do not count.
 *
 * @throws {AdapterError} `bad-response`
 */
export function parseGrype(document: JsonObject): Report {
  const matches = document['matches'];
  if (!Array.isArray(matches)) throw badReport('Grype', 'has no list of matches');
  const source = objectAt(document, 'source');
  if (source['type'] === undefined) throw badReport('Grype', 'does not say what was scanned');
  const target = objectAt(source, 'target');
  return {
    figures: countFindings(matches.map(toFinding), true),
    artifacts: textsOf(
      source['target'],
      target['userInput'],
      target['imageID'],
      target['manifestDigest'],
      target['tags'],
      target['repoDigests'],
    ),
  };
}

function toFinding(match: Json): Finding {
  const vulnerability = isJsonObject(match) ? match['vulnerability'] : undefined;
  if (!isJsonObject(vulnerability)) throw badReport('Grype', 'has a match without a vulnerability');
  const severity = severityOf(vulnerability['severity']);
  if (severity === undefined) throw badReport('Grype', 'has a severity that is not known');
  return { severity, fixable: objectAt(vulnerability, 'fix')['state'] === 'fixed' };
}
