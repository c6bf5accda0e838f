import { isJsonObject } from '../base/json.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { type Parsed, sayProblem } from '../definitions/problem.ts';
import { parseSli } from '../definitions/sli-yaml.ts';
import type { Indicator } from '../slo/indicator.ts';
import { type Terminal, UsageError } from './command.ts';
import type { EvaluateOptions } from './evaluate-options.ts';
import { oneLine } from './table.ts';

/** @throws {UsageError} */
export function readText(terminal: Terminal, file: string): string {
  try {
    if (file !== '-') return terminal.sources.readFile(file);
    if (terminal.readStdin === undefined) throw new Error('there is no standard input');
    return terminal.readStdin();
  } catch {
    throw new UsageError(`${file === '-' ? 'standard input' : file}: cannot be read`);
  }
}

/** @throws {UsageError} naming the place */
export function readJson(terminal: Terminal, file: string): unknown {
  const text = readText(terminal, file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(oneLine(`${file}: is not JSON: ${error instanceof Error ? error.message : String(error)}`));
  }
}

/** Figures may come by the million, and are read at once. */
const LIMITS = { maxDepth: 64, maxBytes: 256 * 1024 * 1024 };

/** As `readJson`, but a key that stands twice is a mistake: which of both counts nobody sees. @throws {UsageError} naming the place */
export function readStrictJson(terminal: Terminal, file: string): unknown {
  const parsed = parseStrictJson(readText(terminal, file).replace(/^\ufeff/, ''), LIMITS);
  if (parsed.ok) return parsed.value;
  const [, place, said] = /^(\d+:\d+): (.*)$/s.exec(parsed.detail) ?? [];
  throw new UsageError(oneLine(place === undefined ? `${file}: ${parsed.detail}` : `${file}:${place} ${said}`));
}

/** Names of the command line. Empty ones come of variables that a script forgot to set. @throws {UsageError} */
export function refuseEmpty(names: Readonly<Record<string, string | undefined>>): void {
  for (const [option, value] of Object.entries(names)) {
    if (value?.trim() === '') throw new UsageError(`--${option}: is empty`);
  }
}

/** The value of a file, or every mistake in it. @throws {UsageError} */
export function accepted<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new UsageError(parsed.problems.map(sayProblem).join('\n'));
}

/** Several files are put together; the later one wins. @throws {UsageError} */
export function readIndicators(terminal: Terminal, files: readonly string[]): Record<string, Indicator> {
  return Object.assign({}, ...files.map((file) => accepted(parseSli(readText(terminal, file), file))));
}

/** @throws {UsageError} */
export function readLabels(labels: EvaluateOptions['label']): Record<string, string> {
  const pairs = labels.map((label) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(label) ?? [];
    if (key === undefined || value === undefined) {
      throw new UsageError(`--label ${oneLine(label)}: write key=value`);
    }
    return [key, value];
  });
  return Object.fromEntries(pairs);
}

/** What is wrong in a JSON file, with its place in it. */
export function mistake(file: string, path: string, message: string): UsageError {
  return new UsageError(oneLine(`${file}: ${path === '' ? '' : `${path} `}${message}`));
}

/** Whether it looks like `{id, data}` of Keptn's evaluation.finished. */
export function isKeptnEvent(value: unknown): boolean {
  return isJsonObject(value) && isJsonObject(value['data']);
}
