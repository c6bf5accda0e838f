import { isJsonObject, type Json, type JsonObject } from '../../../base/json.ts';
import { badReport, objectAt, type Report, textsOf } from './report.ts';
import { countFindings, type Finding, severityOf } from './severities.ts';

/** Classes of results in which Trivy looks for vulnerabilities; others are configuration, secrets, licences. */
const PACKAGES = ['os-pkgs', 'lang-pkgs'];

/**
 * `trivy --format json`, schema version 2 (https://trivy.dev/latest/docs/configuration/reporting/#json).
 * Counts findings as Trivy lists them: one for each vulnerability of each package in each target.
 *
 * @throws {AdapterError} `bad-response`, also when Trivy did not look for vulnerabilities
 */
export function parseTrivy(document: JsonObject): Report {
  if (document['SchemaVersion'] !== 2) throw badReport('Trivy', 'is not of schema version 2');
  const results = Array.isArray(document['Results']) ? document['Results'] : [];
  if (!results.every(isJsonObject)) throw badReport('Trivy', 'has a result that is none');
  if (
    !results.some((result) => PACKAGES.includes(String(result['Class'])) || Array.isArray(result['Vulnerabilities']))
  ) {
    throw badReport('Trivy', 'has no packages in it: it did not look for vulnerabilities, or found nothing to look at');
  }
  const findings = results.flatMap((result) => listAt(result, 'Vulnerabilities').map(toFinding));
  const metadata = objectAt(document, 'Metadata');
  return {
    figures: countFindings(findings, true),
    artifacts: textsOf(
      document['ArtifactName'],
      metadata['ImageID'],
      metadata['RepoTags'],
      metadata['RepoDigests'],
      metadata['Reference'],
    ),
  };
}

/** Absent and `null` are an empty list to Trivy; anything else is not a list at all. */
function listAt(result: JsonObject, key: string): Json[] {
  const list = result[key] ?? [];
  if (!Array.isArray(list)) throw badReport('Trivy', `has something in "${key}" that is not a list`);
  return list;
}

function toFinding(vulnerability: Json): Finding {
  if (!isJsonObject(vulnerability)) throw badReport('Trivy', 'has a vulnerability that is none');
  const severity = severityOf(vulnerability['Severity']);
  if (severity === undefined) throw badReport('Trivy', 'has a severity that is not known');
  return { severity, fixable: textsOf(vulnerability['FixedVersion']).length > 0 };
}
