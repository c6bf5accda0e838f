import type { Viewer } from '../answers/viewer.ts';
import type { DrawRow, LiveChange, LiveRow } from './live-types.ts';

/** Rows of changes that were read once, drawn once for all readers to whom they look the same. */
export interface LiveDrawing {
  row(id: string, viewer: Viewer | undefined): LiveRow | undefined;
}

export function createLiveDrawing(changes: readonly LiveChange[], draw: DrawRow): LiveDrawing {
  const byId = new Map(changes.map((change) => [change.id, change]));
  const drawn = new Map<string, LiveRow>();
  const rights = new Map<Viewer, string>();

  function keyOf(change: LiveChange, viewer: Viewer | undefined): string {
    if (viewer === undefined) return change.id;
    let key = rights.get(viewer);
    if (key === undefined) {
      key = rightsOf(viewer);
      rights.set(viewer, key);
    }
    return JSON.stringify([change.id, key, change.names(viewer) ? viewer.name : '']);
  }

  return {
    row(id, viewer) {
      const change = byId.get(id);
      if (change === undefined) return undefined;
      const key = keyOf(change, viewer);
      const before = drawn.get(key);
      if (before !== undefined) return before;
      const row = draw(change.row(viewer), viewer);
      drawn.set(key, row);
      return row;
    },
  };
}

/** The same for everybody who may do the same; who they are matters only where a change names them. */
function rightsOf({ groups, teams = [], roles, stages, projects }: Viewer): string {
  return JSON.stringify([[...groups].sort(), [...teams].sort(), roles, stages, projects]);
}
