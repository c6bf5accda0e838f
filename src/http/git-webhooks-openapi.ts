const header = (name: string, description: string, pattern?: string) => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string', ...(pattern === undefined ? {} : { pattern }) },
});
const DIGEST = '^sha256=[0-9a-f]{64}$';
const HMAC = 'HMAC-SHA256 of the body, keyed with a webhook token of the host';

const KINDS = {
  github: { name: 'GitHub', headers: [header('X-Hub-Signature-256', `sha256=<${HMAC}>`, DIGEST)] },
  gitlab: {
    name: 'GitLab',
    headers: [
      header('X-Gitlab-Token', 'a webhook token of the host, where nothing is signed'),
      header('webhook-id', 'part of what is signed'),
      header('webhook-timestamp', 'part of what is signed; seconds since 1970, at most 5 minutes off'),
      header('webhook-signature', 'v1,<HMAC-SHA256 of id, time and body as Standard Webhooks says>'),
    ],
  },
  gitea: {
    name: 'Gitea and Forgejo',
    headers: [header('X-Gitea-Signature', `${HMAC}; or X-Forgejo-Signature`, '^[0-9a-f]{64}$')],
  },
  'azure-devops': {
    name: 'Azure DevOps',
    headers: [header('Authorization', 'Basic; the password is a webhook token of the host')],
  },
  bitbucket: { name: 'Bitbucket Cloud', headers: [header('X-Hub-Signature', `sha256=<${HMAC}>`, DIGEST)] },
} as const;

/** The part of the API's document about what Git hosts send. */
export const gitWebhookPaths = (problem: object) =>
  Object.fromEntries(
    Object.entries(KINDS).map(([kind, { name, headers }]) => [
      `/webhooks/${kind}`,
      {
        post: {
          operationId: `receive${kind.replaceAll(/(?:^|-)(\w)/g, (_, first: string) => first.toUpperCase())}`,
          summary: `Takes a webhook of ${name}: a hint to look there, of which nothing is believed`,
          parameters: headers,
          security: [{}],
          requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
          responses: { 202: { description: 'Durable, or nothing that is used' }, default: problem },
        },
      },
    ]),
  );
