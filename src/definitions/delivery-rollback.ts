import Type, { type Static } from 'typebox';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { RollbackPolicy } from './delivery.ts';
import type { Path } from './read-yaml.ts';

/** What `onFailure` means where it leaves something open. */
export const ROLLBACK_DEFAULTS = { by: 'auto', merge: 'automatic' } as const;

const closed = { additionalProperties: false } as const;

/** `onFailure` of a stage: short as a word, or long with how it is done. */
export const OnFailure = Type.Union(
  [
    Type.Literal('none'),
    Type.Literal('rollback'),
    Type.Object(
      {
        rollback: Type.Object(
          {
            by: Type.Optional(
              Type.Union([Type.Literal('auto'), Type.Literal('pullRequest'), Type.Literal('sync')], {
                description: 'how: by a revert pull request, by a sync of the last good commit, or what is possible',
              }),
            ),
            merge: Type.Optional(
              Type.Union([Type.Literal('automatic'), Type.Literal('manual')], {
                description: 'who merges the revert pull request',
              }),
            ),
          },
          closed,
        ),
      },
      closed,
    ),
  ],
  { description: '"none", "rollback" or a mapping such as {rollback: {by: pullRequest, merge: manual}}' },
);

/** `undefined`: what fails stays as it is. */
export function toRollbackPolicy(onFailure: Static<typeof OnFailure> | undefined): RollbackPolicy | undefined {
  if (onFailure === undefined || onFailure === 'none') return undefined;
  const { by, merge } = onFailure === 'rollback' ? {} : onFailure.rollback;
  return { by: by ?? ROLLBACK_DEFAULTS.by, merge: merge ?? ROLLBACK_DEFAULTS.merge };
}

/** What no schema can say of a stage's `onFailure`. Works on any value. */
export function checkRollback(
  stage: JsonObject,
  path: Path,
  report: (path: Path, message: string, key?: string) => void,
): void {
  const rollback = isJsonObject(stage['onFailure']) ? stage['onFailure']['rollback'] : undefined;
  if (!isJsonObject(rollback)) return;
  const place = [...path, 'onFailure', 'rollback'];
  if (rollback['by'] === 'pullRequest' && stage['branch'] === undefined)
    report(place, 'a rollback by pull request needs the "branch" of the stage: add one', 'by');
  if (rollback['by'] !== 'sync') return;
  if (stage['sync'] !== 'gated')
    report(place, 'needs "sync: gated": where the delivery system syncs by itself it takes no other commit', 'by');
  if ('merge' in rollback)
    report(place, 'says who merges a pull request, and "by: sync" opens none: remove it', 'merge');
}
