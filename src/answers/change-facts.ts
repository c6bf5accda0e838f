import type { SequenceState } from '../engine/sequence.ts';
import type { Cell } from './change-row.ts';
import type { ChangeFacts, ChangeInput, Over } from './fact-types.ts';
import { cellsOf } from './facts/cells.ts';
import { identityOf } from './facts/identity.ts';
import { spotsOf } from './facts/spots.ts';
import { latestByStage, stagesOf } from './facts/stages.ts';
import { movedAtOf, stateOf } from './facts/state.ts';

export type { ChangeFacts, ChangeInput, Over, Reported } from './fact-types.ts';
export { handedTo } from './facts/handed.ts';
export type { Neighbour, Spot } from './spot.ts';

/** What is known of a change, out of its sequences and of what was reported of it. Never throws on odd data. */
export function changeFacts(input: ChangeInput): ChangeFacts {
  const stages = stagesOf(input.sequences);
  const latest = latestByStage(input.sequences);
  const { spots, over, beside } = spotsOf(input, stages, latest);
  const cells = cellsOf(input, stages, latest).map((cell) => overtaken(cell, over));
  return {
    id: input.id,
    rev: input.rev,
    ...identityOf(input),
    movedAt: movedAtOf(input),
    state: stateOf(spots, over, cells),
    cells,
    spots,
    ...(beside === undefined ? {} : { beside }),
    ...(over === undefined ? {} : { over }),
  };
}

/** It does not come there any more. */
function overtaken(cell: Cell, over: Over | undefined): Cell {
  const isOver = over?.how === 'superseded' && over.stage === cell.stage && cell.state === 'queued';
  return isOver ? { ...cell, state: 'superseded' } : cell;
}

/** The sequences of other changes that one speaks of besides those under way: what took its place. */
export function mentionedIn(sequences: readonly SequenceState[]): string[] {
  return [...new Set(sequences.flatMap(({ finished }) => finished?.by ?? []))];
}
