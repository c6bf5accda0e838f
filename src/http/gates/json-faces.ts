import { Router } from 'express';
import { isJsonObject, type Json } from '../../base/json.ts';
import { Refusal } from '../problem.ts';
import { askerOf, type FaceTools } from './asker.ts';
import type { Gates } from './gates.ts';
import { jsonOf, type Question, questionBody, questionFrom, readQuestion } from './question.ts';

/**
 * Gates for those who read an answer instead of a status. A "no" is 200 as well: Argo Rollouts counts every other
 * status as an error of the measurement, and Kargo polls on.
 */
export function jsonFaces(tools: FaceTools, gates: Gates): Router {
  const router = Router();
  const report = tools.authentication.require('report');
  const face = (path: string, read: (body: Json) => Question) =>
    router.post(path, report, questionBody, async (request, response) => {
      response.json(await gates.ask(read(jsonOf(request)), askerOf(tools, request, response)));
    });
  face('/api/v1/gates/evaluate', (body) =>
    readQuestion(body, isJsonObject(body) && body['key'] !== undefined ? 'evaluation' : 'change'),
  );
  face('/api/v1/integrations/argo-rollouts/evaluate', (body) => readQuestion(body, 'evaluation'));
  face('/api/v1/integrations/kargo/evaluate', (body) => readQuestion(fromKargo(body), 'evaluation'));
  router.get('/api/v1/integrations/gitops-promoter/:app/:branch/:sha', report, async (request, response) => {
    const question = fromPromoter(request.params as Record<string, string>, request.query);
    response.json(await gates.ask(question, askerOf(tools, request, response)));
  });
  return router;
}

/** A promotion is asked about until it ends: its name is the key. The freight is of interest to Kargo alone. */
function fromKargo(body: Json): Json {
  if (!isJsonObject(body)) return body;
  const { promotion, freight: _, ...question } = body;
  return promotion === undefined ? question : { key: promotion, ...question };
}

/**
 * Promoter asks at least once for each branch and commit, and both are the key. The commit is one of Promoter's own
 * branches, which nobody delivered yet, so it says nothing about files.
 */
function fromPromoter({ app, branch, sha }: Record<string, string>, query: Record<string, unknown>): Question {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(sha ?? ''))
    throw new Refusal(400, 'invalid-request', 'the address must end in a commit id of 40 or 64 hexadecimal digits');
  const commit = query['kind'] === 'change' ? { revision: sha } : {};
  const question = questionFrom({ ...query, app, ...commit }, 'evaluation');
  return question.kind === 'change' ? question : { ...question, key: `gitops-promoter/${branch}@${sha}` };
}
