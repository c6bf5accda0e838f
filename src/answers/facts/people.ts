import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { plannedStep, quorumOf } from '../../engine/decide.ts';
import { onePerPerson } from '../../engine/one-per-person.ts';
import { type PromotionState, promotionsOf } from '../../engine/promotion.ts';
import { currentTask, finishedTask, type SequenceState, type TaskState } from '../../engine/sequence.ts';
import { missedIndicators } from '../../forecast/step-records.ts';
import type { Person } from '../change-row.ts';
import type { Approval, Spot } from '../spot.ts';
import { oneLine } from '../words.ts';
import { scoreOf } from './indicator.ts';

/** Groups that approve in the stage: they may also let a change through. */
export function overrideGroups(state: SequenceState): string[] {
  return plannedStep(state, 'approval')?.groups ?? [];
}

/** The approval that a stage waits for. */
export function approvalOf(
  state: SequenceState,
  task: TaskState,
  journey: readonly SequenceState[],
): Approval | undefined {
  if (task.name !== 'approval') return undefined;
  const why = whyAsked(state, journey);
  return {
    to: state.triggered?.place.stage ?? '',
    quorum: quorumOf(state),
    groups: plannedStep(state, 'approval')?.groups ?? [],
    approved: approversIn(task, state.triggered?.revision),
    ...(why === undefined ? {} : { why }),
  };
}

/** What made somebody doubt: a check of this stage, else the gate of the one before. */
function whyAsked(state: SequenceState, journey: readonly SequenceState[]): string | undefined {
  const checks = finishedTask(state, 'checks');
  const answers = checks?.data?.['answers'];
  if (Array.isArray(answers)) {
    const doubtful = answers.find((one) => isJsonObject(one) && one['answer'] === 'needs-approval');
    const reasons = isJsonObject(doubtful) ? doubtful['reasons'] : undefined;
    if (Array.isArray(reasons) && typeof reasons[0] === 'string') return oneLine(reasons[0]);
  }
  const from = state.triggered?.promotedBy?.sequence;
  return gateWarned(journey.find(({ triggered }) => triggered !== undefined && triggered.sequence === from));
}

/** What people who decide are to know of a gate that warned: of this stage, before it of the one that promoted it. */
export function warnedOf(state: SequenceState, journey: readonly SequenceState[]): Pick<Spot, 'warned'> {
  const from = state.triggered?.promotedBy?.sequence;
  const before = journey.find(({ triggered }) => triggered !== undefined && triggered.sequence === from);
  for (const one of [state, before]) {
    const evaluation = one && finishedTask(one, 'evaluation');
    if (!evaluation) continue;
    const objectives = missedIndicators(evaluation.data?.['evaluation']).map(oneLine).slice(0, MAX_OBJECTIVES);
    if (evaluation.result !== 'warning' || objectives.length === 0) return {};
    return { warned: { stage: one.triggered?.place.stage ?? '', objectives } };
  }
  return {};
}

const MAX_OBJECTIVES = 20;

/** `gate warned (82, needs 90)` */
function gateWarned(state: SequenceState | undefined): string | undefined {
  const evaluation = state && finishedTask(state, 'evaluation');
  const score = evaluation?.result === 'warning' ? scoreOf(evaluation) : undefined;
  return score && `gate warned (${Math.round(score.value)}, needs ${Math.round(score.pass)})`;
}

/** Everybody once, who approved this very commit. */
function approversIn({ decisions = [] }: TaskState, revision: string | undefined): string[] {
  const given = decisions.filter((one) => one.verdict === 'approve' && one.revision === revision);
  return onePerPerson(given).map(({ actor }) => actor);
}

/** One per way to a stage that comes next and is still open. */
export function promotionSpots(
  state: SequenceState,
  { withEnded = false }: { withEnded?: boolean },
): Pick<Spot, 'wait' | 'approval' | 'review' | 'step'>[] {
  const all = promotionsOf(state).filter(({ outcome }) => outcome === undefined || withEnded);
  return all.map((promotion) => ({ step: 'promotion' as const, ...peopleOf(state, promotion) }));
}

/** Who decides about a pull request: people at its Git host, or with us. */
function peopleOf(
  state: SequenceState,
  { memo, outcome, target, task }: PromotionState,
): Pick<Spot, 'approval' | 'review'> {
  const number = Number(outcome?.data?.['pullRequest'] ?? memo['pullRequest'] ?? 0);
  if (!(number > 0)) return {};
  const step = plannedStep(state, 'promotion');
  const { quorum = 1, groups = [], people = [] } = step?.approval ?? {};
  if (memo['reviews'] === 'lynceus') {
    const why = gateWarned(state);
    return {
      approval: {
        to: target.to,
        quorum,
        groups,
        ...(people.length > 0 ? { people: people.map(String) } : {}),
        approved: approversIn(task, state.triggered?.revision),
        promotion: true,
        ...(why === undefined ? {} : { why }),
      },
    };
  }
  const url = outcome?.data?.['url'] ?? memo['url'];
  return {
    review: {
      to: target.to,
      number,
      ...(typeof url === 'string' && /^https?:/.test(url) ? { url } : {}),
      quorum,
      groups,
      ...askedIn(memo),
      approved: reviewersIn(memo),
      ...(step?.merge === 'person' ? { merge: 'person' } : {}),
    },
  };
}

const MAX_ASKED = 20;

/** Who the Git host asks for a review, by the last look; who has approved is not waited for. */
function askedIn(memo: JsonObject): { reviewers?: Person[]; asked?: string[] } {
  const { asked } = memo;
  if (!isJsonObject(asked)) return {};
  const [people, groups] = [asked['people'], asked['groups']].map(namesOf) as [string[], string[]];
  const approved = new Set(reviewersIn(memo));
  const reviewers = people.filter((login) => !approved.has(login)).map((login) => ({ name: login, login }));
  return { ...(reviewers.length === 0 ? {} : { reviewers }), ...(groups.length === 0 ? {} : { asked: groups }) };
}

function namesOf(names: unknown): string[] {
  const found = Array.isArray(names) ? names.filter((one) => typeof one === 'string').map(oneLine) : [];
  return found.slice(0, MAX_ASKED);
}

/** By the last look at the reviews there. */
function reviewersIn({ approval }: JsonObject): string[] {
  const approvers = isJsonObject(approval) ? approval['approvers'] : undefined;
  return Array.isArray(approvers) ? approvers.filter((one) => typeof one === 'string').map(oneLine) : [];
}

/** Whether a stage waits for people right now, be it with us or at a Git host. */
export function waitsForPeople(state: SequenceState): boolean {
  const name = currentTask(state)?.name;
  return name === 'approval' || name === 'promotion';
}
