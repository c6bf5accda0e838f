import { type Response, Router } from 'express';
import { decisiveScore } from '../../views/gate.ts';
import { Refusal } from '../problem.ts';
import { askerOf, type FaceTools } from './asker.ts';
import type { Gates } from './gates.ts';
import { questionFrom } from './question.ts';

/** Flagger gives up after five seconds. */
const PATIENCE_MS = 3_500;
const SELECTOR = /^slo_gate_score ?\{(?<labels>.*)\}$/;
const LABEL = /^\s*(?<name>[a-z]+)\s*=\s*"(?<value>(?:[^"\\]|\\["\\])*)"\s*(?:,|$)/;

/**
 * The gate as a Prometheus, for Flagger's metric templates, which unlike its webhooks can send a token. Knows
 * `slo_gate_score{app="..."}` with the fields of a question as labels, and `vector(1)`. Without a verdict there is
 * no value, and what failed has the score 0.
 */
export function prometheusFace(tools: FaceTools & { now(): Date }, gates: Gates): Router {
  const router = Router();
  const report = tools.authentication.require('report');
  router.get('/api/v1/integrations/prometheus/api/v1/query', report, async (request, response) => {
    const query = typeof request.query['query'] === 'string' ? request.query['query'].trim() : '';
    if (query === 'vector(1)') return vector(response, tools.now(), {}, 1);
    try {
      const labels = labelsOf(query);
      const answer = await gates.ask(
        questionFrom(labels, 'evaluation'),
        askerOf(tools, request, response, PATIENCE_MS),
      );
      vector(response, tools.now(), { __name__: 'slo_gate_score', ...labels }, decisiveScore(answer));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      response.status(error.answer.status).json({ status: 'error', errorType: 'bad_data', error: error.answer.detail });
    }
  });
  return router;
}

function labelsOf(query: string): Record<string, string> {
  const inside = SELECTOR.exec(query)?.groups?.['labels'];
  if (inside === undefined)
    throw new Refusal(400, 'invalid-request', 'ask for slo_gate_score{app="..."} or vector(1): there is nothing else');
  const labels: Record<string, string> = {};
  for (let rest = inside; rest.trim() !== ''; ) {
    const { name, value } = LABEL.exec(rest)?.groups ?? {};
    if (name === undefined || value === undefined)
      throw new Refusal(400, 'invalid-request', 'labels must be compared with = and a text in double quotes');
    if (Object.hasOwn(labels, name))
      throw new Refusal(400, 'invalid-request', `the label ${name} stands there twice: keep one`);
    labels[name] = value.replaceAll(/\\(["\\])/g, '$1');
    rest = rest.replace(LABEL, '');
  }
  return labels;
}

function vector(response: Response, now: Date, metric: Record<string, string>, value: number | undefined): void {
  const result = value === undefined ? [] : [{ metric, value: [now.getTime() / 1000, String(value)] }];
  response.json({ status: 'success', data: { resultType: 'vector', result } });
}
