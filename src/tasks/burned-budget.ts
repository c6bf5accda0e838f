import { isJsonObject, type JsonObject } from '../base/json.ts';
import type { SequenceState } from '../engine/sequence.ts';

/** Under this key the data of a finished task says what the deployment burned. */
export const BURNED = 'errorBudget';

/** What a deployment burned by its own record, as a share of the budget: the last word of its tasks counts. */
export function burnedBy({ tasks }: SequenceState): number | undefined {
  const said = tasks.map(({ data }) => burnedIn(data)).filter((burned) => burned !== undefined);
  return said.at(-1);
}

function burnedIn(data: JsonObject): number | undefined {
  const found = data[BURNED];
  const burned = isJsonObject(found) ? found['burned'] : undefined;
  return typeof burned === 'number' && Number.isFinite(burned) ? burned : undefined;
}
