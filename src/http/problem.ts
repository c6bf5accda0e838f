import type { ErrorRequestHandler, Request, Response } from 'express';
import { newId } from '../base/ids.ts';
import type { Log } from '../runtime/log.ts';
import type { Frame } from '../ui/frame.ts';
import { BARE_FRAME } from '../ui/layout.ts';
import { problemPage } from '../ui/pages/problem.ts';

/** What a refused request is told (RFC 9457). `code` is stable and listed in docs/errors.md. */
export interface ProblemAnswer {
  status: number;
  code: string;
  detail: string;
  /** Every place that is wrong, where there can be several. */
  errors?: readonly FieldError[];
}

/** A wrong field of a request; in a text (slo, sli) with its line and column. */
export interface FieldError {
  path: string;
  message: string;
  line?: number;
  column?: number;
}

/** Thrown or sent by routes: an expected refusal. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly answer: ProblemAnswer;

  constructor(status: number, code: string, detail: string, errors: readonly FieldError[] = []) {
    super(detail);
    this.answer = { status, code, detail, ...(errors.length > 0 ? { errors } : {}) };
  }
}

/** Every code that the API answers, with its title. docs/errors.md is checked against it. */
export const PROBLEM_TITLES: Readonly<Record<string, string>> = {
  'not-found': 'There is no such thing',
  'method-not-allowed': 'This address does not take this method',
  unauthenticated: 'Sign in first',
  forbidden: 'Your rights do not allow this',
  'cross-site': 'The request came from another site',
  csrf: 'The form is not of this session',
  'name-taken': 'The name is taken',
  'invalid-request': 'The request is not valid',
  'invalid-json': 'The body is not valid JSON',
  'invalid-event': 'The event is not valid',
  'unknown-shape': 'The body is not what this sender sends',
  'not-served': 'The repository is not one of this Git host',
  'empty-body': 'The body is empty',
  'not-utf8': 'The body is not UTF-8',
  'not-json': 'The body is not JSON',
  'too-deep': 'The body is nested too deeply',
  'duplicate-key': 'A key stands twice in one object',
  'forbidden-key': 'A key is not allowed',
  'bad-character': 'A character is not allowed',
  'too-large': 'The request is too large',
  'encoded-body': 'Compressed bodies are not taken',
  'unsupported-media-type': 'This media type is not taken',
  over: 'The change is no longer under way',
  'key-reused': 'The key stands for another request already',
  stale: 'What was decided on has changed',
  changed: 'Something happened to the change meanwhile',
  'nothing-to-decide': 'Nothing waits for a decision',
  'not-allowed': 'The decision is not yours',
  'decided-elsewhere': 'The decision is taken elsewhere',
  unavailable: 'The store cannot take anything now',
  overloaded: 'Too much at once',
  internal: 'Something went wrong in Lynceus',
};

/**
 * Sent on 503. Argo CD's notifier obeys whatever we say here with its only worker, so it stays short.
 */
export const RETRY_AFTER_SECONDS = 1;

/** The body of a refusal. */
export function problemBody({ status, code, detail, errors }: ProblemAnswer, instance?: string): string {
  return JSON.stringify({
    type: `urn:lynceus:problem:${code}`,
    title: PROBLEM_TITLES[code] ?? code,
    status,
    code,
    detail,
    ...(errors ? { errors } : {}),
    ...(instance ? { instance } : {}),
  });
}

type FrameOfProblem = (request: Request, response: Response, screen: Frame['screen']) => Frame;

/** Programs get the problem itself, people in a browser a page that says the same. */
function sendProblem(
  request: Request,
  response: Response,
  answer: ProblemAnswer,
  frameOf: FrameOfProblem,
  instance?: string,
): void {
  if (answer.status === 503 && response.locals['pausesItself'] !== true) {
    response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
  }
  response.status(answer.status);
  if (request.accepts('application/problem+json', 'json', 'html') === 'html') {
    const { status, code, detail } = answer;
    const problem = { status, code, detail, title: PROBLEM_TITLES[code] ?? code };
    response.type('html').send(problemPage(frameOf(request, response, 'other'), problem));
    return;
  }
  response.type('application/problem+json').send(problemBody(answer, instance));
}

/** The one table from error to answer. What is not in it is our own mistake: an id, and no details. */
export function problemHandler(log: Log, frameOf: FrameOfProblem = () => BARE_FRAME): ErrorRequestHandler {
  return (error: unknown, request: Request, response: Response, _next) => {
    if (response.headersSent) return void response.destroy();
    const answer = toAnswer(error);
    if (answer) return sendProblem(request, response, answer, frameOf);
    const instance = newId();
    log.error({ err: error, instance, method: request.method, path: request.path }, 'request failed');
    sendProblem(
      request,
      response,
      { status: 500, code: 'internal', detail: `look for ${instance} in the log` },
      frameOf,
      `urn:uuid:${instance}`,
    );
  };
}

function toAnswer(error: unknown): ProblemAnswer | undefined {
  if (error instanceof Refusal) return error.answer;
  const { name, message, type, status, limit } = (error ?? {}) as {
    name?: string;
    message?: string;
    type?: string;
    status?: number;
    limit?: number;
  };
  // Its message names servers and disks: that is for the log, where the worker writes it.
  if (name === 'StoreUnavailableError')
    return { status: 503, code: 'unavailable', detail: 'the store cannot take or give anything now: send it again' };
  if (name === 'InvalidEventError') return { status: 400, code: 'invalid-event', detail: message ?? '' };
  if (type === 'entity.too.large')
    return { status: 413, code: 'too-large', detail: `the body is larger than ${limit} bytes: send less` };
  if (type === 'encoding.unsupported')
    return { status: 415, code: 'encoded-body', detail: 'send the body without Content-Encoding' };
  if (type === 'request.aborted' || type === 'request.size.invalid')
    return { status: 400, code: 'invalid-request', detail: 'the body ended early' };
  if (error instanceof URIError || message?.startsWith('Failed to decode param'))
    return { status: 400, code: 'invalid-request', detail: 'the address holds a broken percent escape' };
  // Express' own refusals that are left.
  if (status !== undefined && status >= 400 && status < 500)
    return { status, code: 'invalid-request', detail: 'the request is not valid' };
  return undefined;
}
