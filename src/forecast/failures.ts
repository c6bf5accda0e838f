import { arrived, isJourneyOf, type Journey, type Journeys } from './journeys.ts';
import { NO_HISTORY } from './question.ts';
import type { Whose } from './step-model.ts';
import { sayRounded } from './words.ts';

/** What became of changes that failed like one does now: at the same step of the same stage. */
export interface FailuresBefore {
  changes: number;
  wentOn: { changes: number; seconds?: number };
  overtaken: { changes: number; seconds?: number };
  basis: 'service' | 'team';
  text: string;
}

interface Fate {
  how: 'wentOn' | 'overtaken' | 'neither';
  seconds?: number;
}

/** Nothing goes on from a failure by itself. */
export const BY_ITSELF = '0 % by itself';
/** Nor by anybody, where the stage has moved on. */
export const TOO_LATE = '0 %: a newer change has passed here since';

/**
 * What became of those that failed like this before, of the service, else of its team. The change itself is no example.
 *
 * @param change the context of the one that failed now
 */
export function afterFailure(
  journeys: Pick<Journeys, 'newest'>,
  whose: Whose,
  change: string,
  { stage, step }: { stage: string; step: string },
): FailuresBefore {
  for (const basis of ['service', 'team'] as const) {
    const known = journeys.newest(whose, basis);
    const fates = known.flatMap((one) => (isJourneyOf(one, change) ? [] : (fateOf(one, known, stage, step) ?? [])));
    if (fates.length > 0) return summed(fates, basis);
  }
  const isFirst = journeys.newest(whose, 'service').every((one) => isJourneyOf(one, change));
  const why = isFirst ? NO_HISTORY : 'none has failed like this here before';
  return { ...summed([], 'service'), text: `${BY_ITSELF}; ${why}` };
}

/** From its first such failure on, whichever came first. */
function fateOf(journey: Journey, known: readonly Journey[], stage: string, step: string): Fate | undefined {
  const first = journey.visits.find((visit) => visit.stage === stage && visit.failure?.step === step);
  const { failure } = first ?? {};
  if (!first || !failure) return undefined;
  const passedBy = (those: readonly Journey[]) =>
    Math.min(
      ...those.flatMap(({ visits }) =>
        visits
          .filter((one) => one.stage === stage && one.startedAt > first.startedAt && arrived(one.outcome))
          .map(({ endedAt }) => endedAt ?? Number.POSITIVE_INFINITY),
      ),
    );
  const own = Math.min(failure.pastAt ?? Number.POSITIVE_INFINITY, passedBy([journey]));
  const newer = passedBy(known.filter((one) => one.service === journey.service && one !== journey));
  const [at, how] = own <= newer ? ([own, 'wentOn'] as const) : ([newer, 'overtaken'] as const);
  return Number.isFinite(at) ? { how, seconds: Math.max(0, at - failure.at) / 1000 } : { how: 'neither' };
}

function summed(fates: readonly Fate[], basis: FailuresBefore['basis']): FailuresBefore {
  const [wentOn, overtaken] = (['wentOn', 'overtaken'] as const).map((how) => countOf(fates, how)) as [
    FailuresBefore['wentOn'],
    FailuresBefore['overtaken'],
  ];
  const those = { changes: fates.length, wentOn, overtaken, basis };
  return { ...those, text: sayBefore(those) };
}

function countOf(fates: readonly Fate[], how: Fate['how']): FailuresBefore['wentOn'] {
  const times = fates.flatMap((one) => (one.how === how && one.seconds !== undefined ? [one.seconds] : []));
  const middle = times.toSorted((a, b) => a - b)[Math.ceil(times.length / 2) - 1];
  return { changes: times.length, ...(middle === undefined ? {} : { seconds: middle }) };
}

function sayBefore({ changes, wentOn, overtaken, basis }: Omit<FailuresBefore, 'text'>): string {
  const whose = basis === 'team' ? ' of the team' : '';
  const on = wentOn.changes === 0 ? 'none went on' : `${wentOn.changes} went on${sayMiddle(wentOn)}`;
  const over =
    overtaken.changes === 0 ? '' : `, ${overtaken.changes} gave way to a newer change${sayMiddle(overtaken)}`;
  return `${BY_ITSELF}; of ${changes}${whose} that failed like this ${on}${over}`;
}

function sayMiddle({ changes, seconds }: FailuresBefore['wentOn']): string {
  if (seconds === undefined) return '';
  return changes === 1 ? ` (after ${sayRounded(seconds)})` : ` (half within ${sayRounded(seconds)})`;
}
