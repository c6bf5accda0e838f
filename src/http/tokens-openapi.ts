import { PERMISSIONS, ROLES } from '../base/rights.ts';
import { MAX_TOKEN_DAYS, USUAL_TOKEN_DAYS } from '../runtime/api-tokens.ts';

const text = { type: 'string' };
const time = { ...text, format: 'date-time' };
const names = { type: 'array', items: text, minItems: 1, maxItems: 100 };
const rights = {
  may: { type: 'array', items: { enum: PERMISSIONS } },
  roles: { type: 'array', items: { enum: ROLES } },
  stages: { ...names, description: 'where it may decide; absent: everywhere' },
  projects: { ...names, description: 'where it may more than read; absent: everywhere' },
};
const ref = (schema: string) => ({ $ref: `#/components/schemas/${schema}` });
const answer = (schema: object, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const list = (key: string, schema: string) => ({
  type: 'object',
  required: [key],
  properties: { [key]: { type: 'array', items: ref(schema) } },
});
const id = (description: string) => [{ name: 'id', in: 'path', required: true, description, schema: text }];
const ACCESS = { madeBy: { ...text, description: 'who made it' } };

/** The part of the API's document about API tokens and sessions. */
export const tokenPaths = (problem: object) => ({
  '/api/v1/tokens': {
    get: {
      operationId: 'listTokens',
      summary: 'API tokens that were made here, newest first; never the tokens themselves',
      responses: { 200: answer(list('tokens', 'ApiToken'), 'Tokens that have not expired'), default: problem },
    },
    post: {
      operationId: 'createToken',
      summary: 'Make an API token; it is told in this answer only',
      requestBody: { required: true, content: { 'application/json': { schema: ref('ApiTokenWish') } } },
      responses: { 201: answer(ref('NewApiToken'), 'Made'), default: problem },
    },
  },
  '/api/v1/tokens/{id}': {
    delete: {
      operationId: 'revokeToken',
      summary: 'Revoke an API token, and the sessions that were begun with it',
      parameters: id('id of the token'),
      responses: { 204: { description: 'Revoked' }, default: problem },
    },
  },
  '/api/v1/sessions': {
    get: {
      operationId: 'listSessions',
      summary: 'Sessions of browsers, newest first',
      responses: { 200: answer(list('sessions', 'Session'), 'Sessions that have not ended'), default: problem },
    },
  },
  '/api/v1/sessions/{id}': {
    delete: {
      operationId: 'endSession',
      summary: 'End a session, on every replica at once',
      parameters: id('id of the session'),
      responses: { 204: { description: 'Ended' }, default: problem },
    },
  },
});

const view = {
  id: text,
  name: text,
  groups: { type: 'array', items: text },
  ...rights,
  ...ACCESS,
  createdAt: time,
  expiresAt: time,
  lastUsed: { ...text, format: 'date', description: 'the day; absent: never' },
};
const always = ['id', 'name', 'groups', 'madeBy', 'createdAt', 'expiresAt'];

export const tokenSchemas = {
  ApiTokenWish: {
    type: 'object',
    required: ['name'],
    properties: {
      name: { ...text, minLength: 1, maxLength: 100, description: 'who acts with it, as the log will say' },
      ...rights,
      groups: { ...names, description: 'groups whose approvals it gives' },
      expiresIn: {
        ...text,
        default: `${USUAL_TOKEN_DAYS}d`,
        description: `at most ${MAX_TOKEN_DAYS}d`,
        examples: ['30d'],
      },
    },
  },
  ApiToken: { type: 'object', required: always, properties: view },
  NewApiToken: { type: 'object', required: [...always, 'token'], properties: { ...view, token: text } },
  Session: {
    type: 'object',
    required: ['id', 'name', 'via', 'createdAt', 'usedAt', 'expiresAt'],
    properties: {
      id: text,
      name: text,
      via: { enum: ['provider', 'token', 'first-run'] },
      createdAt: time,
      usedAt: time,
      expiresAt: time,
    },
  },
};
