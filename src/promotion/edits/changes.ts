import { CHANGE_PLACEHOLDERS, type PromotionChange } from '../../definitions/delivery-changes.ts';
import { isRepositoryPath } from '../../definitions/repository-path.ts';
import { refuse } from './open-file.ts';

/** What the placeholders of a change stand for. */
export interface ChangeNames {
  project: string;
  service: string;
  stage: string;
  nextStage: string;
  /** The verified commit. */
  revision: string;
}

const PATHS = ['file', 'from', 'to'];

/**
 * The changes of one promotion, with names in place of `$SERVICE` and its kind.
 *
 * @throws {EditRefusal} a name that cannot be a part of a path
 */
export function fillChanges(changes: readonly PromotionChange[], names: ChangeNames): PromotionChange[] {
  const { project, service, stage, nextStage, revision } = names;
  const values: Record<(typeof CHANGE_PLACEHOLDERS)[number], string> = {
    $PROJECT: project,
    $SERVICE: service,
    $STAGE: stage,
    $NEXT_STAGE: nextStage,
    $REVISION: revision,
  };
  const pattern = new RegExp(`\\$(?:${CHANGE_PLACEHOLDERS.map((one) => one.slice(1)).join('|')})\\b`, 'g');
  const fill = (text: string) => text.replace(pattern, (name) => values[name as keyof typeof values]);
  return changes.map((change) => filled(change, undefined, fill) as PromotionChange);
}

function filled(value: unknown, key: string | undefined, fill: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => filled(one, key, fill));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, name, fill)]));
  // How a path of values is written is the schema's business; a name in it would be read as one.
  if (typeof value !== 'string' || key === 'path') return value;
  const text = fill(value);
  if (key !== undefined && PATHS.includes(key) && !isRepositoryPath(text))
    return refuse(text.slice(0, 100), 'is not the path of a file or folder in the repository');
  return text;
}

/** Where a change takes its value from: a file, or a file with what is meant in it. */
export function originOf<T extends { file: string }>(from: string | T | undefined): T | { file: string } | undefined {
  return typeof from === 'string' ? { file: from } : from;
}
