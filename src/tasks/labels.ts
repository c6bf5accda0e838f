import type { Place } from '../events/application.ts';
import { type Definitions, indicatorOf } from './evaluation-definitions.ts';
import type { TaskTools } from './task.ts';

/** The labels of the application that runs a service, for `$LABEL.<name>`; asked only when a query uses one. */
export async function labelsOf(
  tools: Pick<TaskTools, 'deliverySystem' | 'history'>,
  place: Place,
  definitions: Definitions,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  if (!usesLabels(definitions)) return {};
  const [ref] = await tools.history.applications(place);
  const application = ref && (await tools.deliverySystem(ref.system)?.read(ref, { signal }));
  return application?.labels ?? {};
}

function usesLabels(definitions: Definitions): boolean {
  const indicators = Object.keys(definitions.sli).map((name) => indicatorOf(definitions, name));
  const queries = indicators.flatMap((one) => [
    ...(one?.sources.map(({ query }) => query) ?? []),
    one?.minimumSamples?.query ?? '',
  ]);
  return queries.some((query) => query.includes('$LABEL.'));
}
