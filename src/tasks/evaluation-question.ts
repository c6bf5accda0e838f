import type { ComparisonPolicy } from '../definitions/delivery.ts';
import type { Place } from '../events/application.ts';
import type { Slo } from '../slo/evaluation.ts';
import type { Definitions } from './evaluation-definitions.ts';
import type { TaskTools } from './task.ts';

/** What is judged, ISO 8601. */
export interface Period {
  start: string;
  end: string;
}

/** One evaluation, whoever asks: a change under way, or somebody by the API. */
export interface EvaluationQuestion {
  definitions: Definitions;
  place: Place;
  context: string;
  /** The commit that is judged, and the one that ran here before it, as far as they are known. */
  revision?: string;
  previousRevision?: string;
  /** What runs, with its digest where that is known; absent when several images run. */
  image?: string;
  period: Period;
  /** For queries that name none. */
  provider?: string;
  compareWith?: ComparisonPolicy;
  /** The evaluation that is done again: the same period says nothing about itself. */
  except?: string;
  /** Numbers that nobody has to be asked for (of tests, pushed), for indicators without a query. */
  figures: ReadonlyMap<string, number>;
  /** Numbers that came with the question: they stand, whatever sli.yaml says. */
  given?: ReadonlyMap<string, number>;
  /** For `$LABEL.<name>`. */
  labels: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

export type EvaluationTools = Pick<TaskTools, 'metricsSource' | 'history'>;

type Known = Pick<EvaluationQuestion, 'place' | 'context' | 'period'> &
  Partial<Pick<EvaluationQuestion, 'revision' | 'image' | 'labels'>>;

/** Keptn's placeholders and ours, by name without `$`. */
export function queryVariables(known: Known, slo: Slo | undefined): Record<string, string> {
  const { place, context, revision, image, period, labels = {} } = known;
  const seconds = Math.max(1, Math.ceil((Date.parse(period.end) - Date.parse(period.start)) / 1000));
  return {
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`LABEL.${name}`, value])),
    PROJECT: place.project,
    STAGE: place.stage,
    SERVICE: place.service,
    CONTEXT: context,
    DEPLOYMENT: 'primary',
    DURATION_SECONDS: `${seconds}s`,
    ...(revision === undefined ? {} : { REVISION: revision }),
    ...(image === undefined ? {} : { IMAGE: image }),
    ...slo?.filter,
  };
}
