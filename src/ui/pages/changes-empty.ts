import type { Frame } from '../frame.ts';
import { type Html, html } from '../html.ts';
import { command, emptyState } from '../parts/notice.ts';
import { changesAddress, isNarrowed } from './changes-filter.ts';
import type { ChangesScreen } from './changes-screen.ts';

/** Why there is nothing to see, and what to do about it. */
export function emptyChanges({ viewer }: Frame, { filter, all }: ChangesScreen): Html {
  if (all === 0) return firstSteps();
  const { mine, ...others } = filter;
  const teams = viewer?.teams ?? [];
  if (mine && !isNarrowed(others))
    return emptyState(
      'None of the changes is yours',
      html`<p>${teams.length > 0 ? html`<a class="button" href="${changesAddress({ team: teams })}">Changes of my team</a> ` : undefined}<a class="button" href="/changes">All ${all} changes</a></p>`,
    );
  const without = all === 1 ? 'One without filters.' : `${all} without filters.`;
  return emptyState(
    `No change matches. ${without}`,
    html`${filter.q === undefined ? undefined : html`<p>Looked for <b>${filter.q}</b> among commits, digests, pull requests, versions and services.</p>`}
<p><a class="button" href="/changes">Clear the filters</a></p>`,
  );
}

const LABEL = `kubectl -n argocd label application checkout-staging \\
  lynceus.dev/project=shop lynceus.dev/stage=staging lynceus.dev/service=checkout`;
const NOTIFY = 'kubectl apply -k argocd-notifications/';
const PUSH = `git commit --allow-empty -m "First change" && git push`;

/** From nothing to the first change. */
function firstSteps(): Html {
  return emptyState(
    'No change yet',
    html`<p>A change appears here as soon as an application with our labels gets a new commit.</p>
<ol>
<li>Label an application of Argo CD; for Flux, its Kustomization or HelmRelease.${command(LABEL)}</li>
<li>Let Argo CD tell us at once what happens to it. Without this we look every few minutes.${command(NOTIFY)}</li>
<li>Push a commit to the branch that the application deploys.${command(PUSH)}</li>
</ol>
<p class="quiet">Waiting for the first event. <a href="/connections">Connections</a> shows what reached us, and what is wrong with it.</p>`,
  );
}
