import { isOvertaken, planGoingBack } from '../engine/asked.ts';
import { planToJson } from '../engine/plan.ts';
import { short } from '../engine/revisions.ts';
import { errored, overtaken, pass, type TaskInput, type TaskOutcome, type TaskTools } from './task.ts';

/**
 * The plan of what a person asked for once a change was over. `undefined`: what somebody let through is planned like any
 * delivery. A change that came in the moment of asking goes first: what was asked for was asked without knowing it.
 */
export async function planAsked(
  { triggered, sequence }: TaskInput,
  tools: TaskTools,
): Promise<TaskOutcome | undefined> {
  const { asked, place, revision } = triggered;
  if (!asked) return undefined;
  const subject = await tools.history.sequence(asked.sequence);
  if (!subject?.triggered) return errored(`the record of ${short(revision)} is gone`);
  const others = await tools.history.sequences(place, new Date(subject.triggered.at));
  if (isOvertaken(sequence, subject, others)) return overtaken('a newer change came at the same moment');
  if (asked.what === 'override') return undefined;
  const plan = planGoingBack(subject, asked.by);
  if (!plan) return errored(`nothing is known of how ${short(revision)} was delivered`);
  return pass(`goes back from ${short(revision)}, asked for by ${asked.actor}: ${asked.reason}`, planToJson(plan));
}
