/** Something to copy: what for, and the text. */
export interface Snippet {
  what: string;
  text: string;
}

const LABELS = 'lynceus.dev/project=PROJECT lynceus.dev/stage=STAGE lynceus.dev/service=SERVICE lynceus.dev/team=TEAM';

/** What has to be set up at the other side of a connection. */
export function snippetsFor(kind: string, publicUrl: string): Snippet[] {
  return (SNIPPETS[kind] ?? none)(publicUrl);
}

const none = (): Snippet[] => [];

const SNIPPETS: Readonly<Record<string, (publicUrl: string) => Snippet[]>> = {
  argocd: (url) => [
    { what: 'Labels of an application', text: `kubectl -n argocd label application NAME ${LABELS}` },
    {
      what: 'Notifications: into argocd-notifications-cm, with the triggers and templates of argocd-notifications/',
      text: `service.webhook.lynceus: |
  url: ${url}/webhooks/argocd
  headers:
    - name: Authorization
      value: Bearer $lynceus-token
    - name: Content-Type
      value: application/json`,
    },
    {
      what: 'Links from Argo CD to here: into argocd-cm',
      text: `application.links: |
  - title: Lynceus
    url: ${url}/find/argocd/{{.app.metadata.namespace}}/{{.app.metadata.name}}`,
    },
  ],
  flux: (url) => [
    {
      what: 'Labels of a Kustomization or HelmRelease',
      text: `kubectl -n NAMESPACE label kustomization NAME ${LABELS}`,
    },
    {
      what: 'Where Flux sends its events; with the Alerts of flux-alerts/',
      text: `apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: lynceus, namespace: flux-system}
spec:
  type: generic-hmac
  address: ${url}/webhooks/flux
  timeout: 60s
  secretRef: {name: lynceus-webhook}`,
    },
  ],
  github: (url) => [
    {
      what: 'Webhook of a repository',
      text: `gh api repos/OWNER/REPO/hooks -f name=web -f config[url]=${url}/webhooks/github -f config[content_type]=json -f config[secret]="$SECRET" -f events[]=push -f events[]=pull_request -f events[]=pull_request_review -f events[]=issue_comment -f events[]=status -f events[]=check_suite`,
    },
  ],
  gitlab: (url) => [
    { what: 'Webhook: push, comments, merge requests, pipelines; URL', text: `${url}/webhooks/gitlab` },
  ],
  gitea: (url) => [
    { what: 'Webhook: push and all of pull requests, application/json; URL', text: `${url}/webhooks/gitea` },
  ],
  'azure-devops': (url) => [
    { what: 'Service hooks, Web Hooks, resource details All; URL', text: `${url}/webhooks/azure-devops` },
  ],
  bitbucket: (url) => [
    { what: 'Webhook: push, all of pull requests, build status; URL', text: `${url}/webhooks/bitbucket` },
  ],
  pipelines: (url) => [
    {
      what: 'In any pipeline, with a token that may report',
      text: `export LYNCEUS_URL=${url} LYNCEUS_TOKEN
lynceus report build --state started
lynceus report image --image "$IMAGE" --digest "$DIGEST"`,
    },
    {
      what: 'What a report would be joined to; nothing is kept',
      text: 'lynceus report image --digest "$DIGEST" --self-test',
    },
  ],
};
