import { parseAllDocuments } from 'yaml';
import type { KeptnObjective, KeptnSlo } from '../slo/keptn/model.ts';
import { type GoMapping, GoReader } from './go-reader.ts';
import { refuseDocument, refuseText, withLineFeeds } from './go-text.ts';
import { Unreadable } from './go-unreadable.ts';
import type { Parsed, Problem } from './problem.ts';

/** The definition's limit of read-yaml.ts; Keptn had none. */
const MAX_BYTES = 256 * 1024;
const TOO_DEEP = 'the file is nested too deep';

/**
 * Reads an slo.yaml as Keptn 1.4.5 did with Go's yaml.v3: unknown keys are ignored, scalars become
 * text, fractions of a weight are cut off, only the first document counts, and what is absent gets
 * Keptn's defaults. What it refused is refused, with its place. Never throws.
 */
export function parseKeptnSlo(content: string, file: string): Parsed<KeptnSlo> {
  const text = withLineFeeds(content);
  const refuse = (offset: number, message: string): { ok: false; problems: Problem[] } => {
    const lines = text.slice(0, offset).split('\n');
    const place = { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
    return { ok: false, problems: [{ file, ...place, path: '', message }] };
  };
  if (text.length > MAX_BYTES) return refuse(0, `the file is larger than ${MAX_BYTES / 1024} KiB: split it`);
  try {
    refuseText(text);
    // Without a schema every scalar stays the text that was written; its meaning follows from where it stands.
    const documents = parseAllDocuments(text, {
      schema: 'failsafe',
      resolveKnownTags: false,
      prettyErrors: false,
      uniqueKeys: false,
    });
    const [first] = Array.isArray(documents) ? documents : [];
    if (first === undefined) return { ok: true, value: toSlo(new GoReader(new Map()).mapping(null)) };
    const [error] = first.errors;
    if (error?.code === 'RESOURCE_EXHAUSTION') return refuse(error.pos[0], TOO_DEEP);
    if (error !== undefined) return refuse(error.pos[0], error.message);
    const reader = new GoReader(refuseDocument(first, text));
    return { ok: true, value: toSlo(reader.mapping(first.contents)) };
  } catch (error) {
    if (error instanceof Unreadable) return refuse(error.offset, error.message);
    if (error instanceof RangeError) return refuse(0, TOO_DEEP);
    return refuse(0, `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function toSlo(file: GoMapping | undefined): KeptnSlo {
  const comparison = file?.mapping('comparison');
  const score = file?.mapping('total_score');
  return {
    spec_version: file?.text('spec_version') ?? '',
    filter: file?.mapping('filter')?.texts() ?? null,
    comparison: {
      compare_with: comparison === undefined ? 'single_result' : comparison.text('compare_with'),
      include_result_with_score: comparison?.text('include_result_with_score') || 'all',
      number_of_comparison_results:
        comparison === undefined ? 1 : comparison.whole('number_of_comparison_results') || 3,
      aggregate_function: comparison?.text('aggregate_function') || 'avg',
    },
    objectives: (file?.list('objectives', toObjective) ?? []).filter((objective) => objective !== undefined),
    total_score: score === undefined ? null : { pass: score.text('pass'), warning: score.text('warning') },
  };
}

function toObjective(node: unknown, reader: GoReader): KeptnObjective | undefined {
  const objective = reader.mapping(node);
  if (objective === undefined) return undefined;
  return {
    sli: objective.text('sli'),
    displayName: objective.text('displayName'),
    pass: objective.list('pass', toCriteria),
    warning: objective.list('warning', toCriteria),
    weight: objective.whole('weight') || 1,
    key_sli: objective.flag('key_sli'),
  };
}

function toCriteria(node: unknown, reader: GoReader): { criteria: string[] } {
  const set = reader.mapping(node);
  // Keptn reads it, and comes to grief when it evaluates.
  if (set === undefined) throw new Unreadable(node, 'must be a mapping with "criteria"');
  // It leaves out what is null.
  return { criteria: (set.list('criteria', (each) => reader.text(each)) ?? []).filter((each) => each !== undefined) };
}
