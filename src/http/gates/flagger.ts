import { type Request, type RequestHandler, type Response, Router } from 'express';
import { derivedId } from '../../base/ids.ts';
import { isJsonObject, type Json } from '../../base/json.ts';
import { eventType } from '../../events/types.ts';
import type { GateSwitches } from '../../runtime/gate-switches.ts';
import type { Store } from '../../store/store.ts';
import type { GateAnswer } from '../../views/gate.ts';
import { Refusal } from '../problem.ts';
import { askerOf, type FaceTools, inPlainWords, tokenInPath } from './asker.ts';
import type { Gates } from './gates.ts';
import { jsonOf, type Question, questionBody, readQuestion } from './question.ts';

const ROOT = '/api/v1/integrations/flagger/:token';
/** Flagger waits ten seconds; retries within this time are the same question. */
const PATIENCE_MS = 8_000;
const SAME_MS = 30_000;

/** What a hook asks when its metadata does not say. */
const HOOKS: Readonly<Record<string, { kind: Question['kind']; until: Question['until'] }>> = {
  'confirm-rollout': { kind: 'change', until: 'deploy' },
  'pre-rollout': { kind: 'change', until: 'deploy' },
  rollout: { kind: 'evaluation', until: 'verdict' },
  'confirm-traffic-increase': { kind: 'evaluation', until: 'verdict' },
  'confirm-promotion': { kind: 'evaluation', until: 'verdict' },
};
const REPORTS = ['post-rollout', 'event'] as const;

export interface FlaggerTools extends FaceTools {
  store: Store;
  switches: GateSwitches;
  now(): Date;
}

interface Payload {
  name: string;
  namespace: string;
  phase: string;
  checksum: string;
  metadata: Record<string, string>;
}

/**
 * Flagger's webhooks. They send no header, so the token is in the address, and only the status counts: 200 goes on,
 * 403 does not, with the reason as text. The rollback hook is the other way round: there 200 rolls back.
 */
export function flaggerFace(tools: FlaggerTools, gates: Gates): Router {
  const router = Router();
  const report = tokenInPath(tools.authentication, 'report');
  const operate = tokenInPath(tools.authentication, 'operate');
  const post = (path: string, guard: RequestHandler, handler: RequestHandler) =>
    router.post(ROOT + path, guard, questionBody, inPlainWords(handler));
  /** What is told or switched by the canary's name alone: of one that is theirs. */
  async function own(request: Request, response: Response): Promise<Payload> {
    const payload = payloadOf(jsonOf(request));
    await gates.refuseCalled(payload.name, askerOf(tools, request, response));
    return payload;
  }

  for (const [hook, fallback] of Object.entries(HOOKS))
    post(`/${hook}`, report, async (request, response) => {
      const question = questionOf(hook, fallback, payloadOf(jsonOf(request)), tools.now());
      const answer = await gates.ask(question, askerOf(tools, request, response, PATIENCE_MS));
      say(response, answer.result === 'pass' || answer.result === 'warning', answer.reason);
    });
  post('/rollback', report, async (request, response) => {
    const fallback = { kind: 'change', until: 'verdict' } as const;
    const question = questionOf('rollback', fallback, payloadOf(jsonOf(request)), tools.now());
    const asker = askerOf(tools, request, response, PATIENCE_MS);
    const answer = await gates.ask({ ...question, until: 'failure' }, asker);
    say(response, mustRollBack(answer), answer.reason);
  });
  for (const hook of REPORTS)
    post(`/${hook}`, report, async (request, response) => {
      await keep(tools, hook, await own(request, response));
      say(response, true, 'OK');
    });

  post('/gate/approve', report, (_request, response) => say(response, true, 'OK'));
  post('/gate/halt', report, (_request, response) => say(response, false, 'Forbidden'));
  for (const what of ['gate', 'rollback'] as const) {
    // A canary may be called rollback.x, but no name has a slash.
    const keyOf = ({ name, namespace }: Payload) => `${what === 'rollback' ? 'rollback/' : ''}${name}.${namespace}`;
    post(`/${what}/check`, report, async (request, response) => {
      const open = await tools.switches.isOpen(keyOf(await own(request, response)));
      say(response, open, open ? 'Approved' : 'Forbidden');
    });
    for (const move of ['open', 'close'] as const)
      post(`/${what}/${move}`, operate, async (request, response) => {
        const key = keyOf(await own(request, response));
        await tools.switches.set(key, move === 'open', askerOf(tools, request, response).name);
        response.status(202).type('text').send('Accepted\n');
      });
  }
  return router;
}

/** Rolling back takes a verdict on what runs; whoever cannot judge, or still judges, changes nothing. */
function mustRollBack({ result, complete }: GateAnswer): boolean {
  return result === 'fail' && complete;
}

function say(response: Response, yes: boolean, reason: string): void {
  response
    .status(yes ? 200 : 403)
    .type('text')
    .send(`${reason}\n`);
}

/** @throws {Refusal} it is not what Flagger sends */
function payloadOf(body: Json): Payload {
  const { name, namespace, phase = '', checksum = '', metadata = {} } = isJsonObject(body) ? body : {};
  // A namespace has no dots: that is how the two are told apart where both are one text.
  if (!isName(name) || !isName(namespace) || namespace.includes('.'))
    throw new Refusal(400, 'unknown-shape', 'name and namespace of the canary must be texts, as Flagger sends them');
  if (typeof phase !== 'string' || typeof checksum !== 'string')
    throw new Refusal(400, 'unknown-shape', 'phase and checksum must be texts, as Flagger sends them');
  const labels = isJsonObject(metadata) ? Object.entries(metadata) : [];
  const texts = labels.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { name, namespace, phase, checksum, metadata: Object.fromEntries(texts) };
}

function isName(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(value);
}

const FIELDS = ['kind', 'project', 'stage', 'service', 'app', 'revision', 'until', 'timeframe'] as const;

/** Metadata names the place; what it leaves out is found by the canary's name. Other metadata is for others. */
function questionOf(hook: string, fallback: (typeof HOOKS)[string], payload: Payload, now: Date): Question {
  const { name, namespace, checksum, metadata } = payload;
  const fields = Object.fromEntries(FIELDS.flatMap((field) => (metadata[field] ? [[field, metadata[field]]] : [])));
  const question = readQuestion({ until: fallback.until, service: name, ...fields }, fallback.kind, false);
  const named = fields['service'] !== undefined || fields['app'] !== undefined;
  const { service: _, ...where } = question.where;
  return {
    ...question,
    where: named ? { ...where, ...(fields['service'] && { service: fields['service'] }) } : { ...where, called: name },
    key: `flagger/${hook}/${name}.${namespace}/${checksum}/${Math.floor(now.getTime() / SAME_MS)}`,
  };
}

/** What Flagger reports goes into the log, once. */
async function keep({ store, now }: FlaggerTools, hook: string, payload: Payload): Promise<void> {
  const { name, namespace, phase, checksum, metadata } = payload;
  const { eventMessage = '', timestamp = '' } = metadata;
  const id = derivedId('flagger', hook, name, namespace, checksum, phase, eventMessage, timestamp);
  const time = now().toISOString();
  await store.receive(
    'inbox',
    {
      id,
      source: 'flagger',
      type: eventType('flagger.reported'),
      subject: `${namespace}/${name}`,
      time,
      data: { hook, name, namespace, phase, checksum, metadata },
    },
    [],
  );
}
