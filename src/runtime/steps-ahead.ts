import type { ChangeFacts } from '../answers/change-facts.ts';
import { type Quant, type StepPlace, stepKey } from '../forecast/quant.ts';
import type { Forecasts } from './forecasts.ts';
import { questionOf } from './foresee.ts';

/** What a change is doing and has still to do, in this order, with how long each takes as a rule where that is known. */
export function stepsAhead(forecasts: Forecasts, facts: ChangeFacts): (StepPlace & { expected?: Quant })[] {
  const question = questionOf(forecasts, facts);
  if (!question) return [];
  const { expected } = forecasts.for(question);
  const { running, remaining } = question;
  return [...(running ? [running] : []), ...remaining].map(({ stage, step }) => {
    const quant = expected.get(stepKey(stage, step));
    return { stage, step, ...(quant === undefined ? {} : { expected: quant }) };
  });
}
