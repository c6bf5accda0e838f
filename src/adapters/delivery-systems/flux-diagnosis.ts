import type { JsonObject } from '../../base/json.ts';
import type { Finding, LabelledApplication, Written } from '../../events/finding.ts';
import { failed } from '../failed-connection.ts';
import type { CallOptions, DeliverySystem } from './delivery-system.ts';
import { WORKLOAD_KINDS } from './flux-images.ts';
import { applicationName, FLUX_KINDS, HELM_RELEASE, KUSTOMIZATION } from './flux-kinds.ts';
import type { KubernetesApi, ResourceKind } from './kubernetes.ts';
import { annotationsOf, labelsOf, nameOf, optional } from './kubernetes-object.ts';

export interface FluxDiagnosis {
  api: KubernetesApi;
  prefix: string;
  /** `undefined` stands for all of them. */
  namespaces: readonly (string | undefined)[];
}

const VERBS = ['get', 'list', 'watch', 'patch'] as const;
const PARTS = ['service', 'project', 'stage'] as const;
/** How many namespaces a sentence names. */
const NAMED = 3;
const CLUSTER_ROLE = 'apply flux-alerts/rbac.yaml, and bind its ClusterRole to the account that Lynceus uses';

/** The methods of a Flux that look at the connection itself. */
export function fluxDiagnosis(tools: FluxDiagnosis): Required<Pick<DeliverySystem, 'diagnose' | 'labelled'>> {
  return {
    diagnose: (options = {}) => diagnose(tools, options),
    async labelled(options = {}) {
      const found: LabelledApplication[] = [];
      for (const kind of [KUSTOMIZATION, HELM_RELEASE]) found.push(...(await labelledOf(tools, kind, options)));
      return found;
    },
  };
}

/** Whether the API answers, knows the kinds of Flux, and grants what Lynceus does with them. Reviews change nothing. */
async function diagnose(tools: FluxDiagnosis, options: CallOptions): Promise<Finding[]> {
  const rights: Finding[] = [];
  const kinds: Finding[] = [];
  for (const kind of FLUX_KINDS) {
    const lacking = new Map<string, string[]>();
    for (const namespace of tools.namespaces) {
      for (const verb of VERBS) {
        try {
          if (await tools.api.mayI(verb, kind, namespace, options)) continue;
          lacking.set(verb, [...(lacking.get(verb) ?? []), namespace ?? '']);
        } catch (error) {
          return [failed('address', error, REMEDIES)];
        }
      }
    }
    rights.push(...rightsOf(kind, lacking));
    if (!lacking.has('list')) kinds.push(...(await kindOf(tools, kind, options)));
  }
  rights.push(...(await workloadRights(tools, options)));
  const address: Finding = { level: 'ok', check: 'address', sentence: 'the Kubernetes API answers and takes us' };
  return [address, ...(await asFarAsNeeded(tools, rights, options)), ...withoutAnyApplier(kinds)];
}

/** Without them all goes on, and what a change brings is not told. */
async function workloadRights({ api, namespaces }: FluxDiagnosis, options: CallOptions): Promise<Finding[]> {
  const verbs = ['get', 'list'];
  for (const kind of WORKLOAD_KINDS) {
    for (const verb of verbs) {
      const lacking: string[] = [];
      for (const namespace of namespaces)
        if (!(await api.mayI(verb, kind, namespace, options))) lacking.push(namespace ?? '');
      if (lacking.length === 0) continue;
      const sentence = `may not ${verb} ${kind.plural}${sayNamespaces(lacking)}: which images a change brings is not told`;
      return [{ level: 'warning', check: 'can-i workloads', sentence, remedy: CLUSTER_ROLE }];
    }
  }
  return [{ level: 'ok', check: 'can-i workloads', sentence: `may ${verbs.join(', ')} workloads, for their images` }];
}

const REMEDIES = {
  unauthenticated: 'renew the token of the kubeconfig, or give the pod its service account',
  rejected: 'correct the kubeconfig, or the namespaces in lynceus.yaml',
};

function rightsOf(kind: ResourceKind, lacking: ReadonlyMap<string, readonly string[]>): Finding[] {
  if (lacking.size === 0) {
    const sentence = `may ${VERBS.join(', ')} ${kind.plural}`;
    return [{ level: 'ok', check: `can-i ${kind.plural}`, sentence }];
  }
  return [...lacking].map(([verb, namespaces]) => ({
    level: 'problem',
    check: `can-i ${verb} ${kind.plural}`,
    sentence: `may not ${verb} ${kind.plural}${sayNamespaces(namespaces)}`,
    remedy: CLUSTER_ROLE,
  }));
}

/** Who only verifies needs no right to release. */
async function asFarAsNeeded(tools: FluxDiagnosis, rights: Finding[], options: CallOptions): Promise<Finding[]> {
  const isToRelease = ({ check }: Finding) => check.startsWith('can-i patch ');
  if (!rights.some(isToRelease) || (await mayHaveGates(tools, options))) return rights;
  const remedy = `${CLUSTER_ROLE}, once a stage is to be gated: verifying needs no patch`;
  return rights.map((one) => (isToRelease(one) ? { ...one, level: 'warning', remedy } : one));
}

async function mayHaveGates({ api, prefix, namespaces }: FluxDiagnosis, options: CallOptions): Promise<boolean> {
  const selection = { labelSelector: `${prefix}/service` };
  try {
    for (const kind of [KUSTOMIZATION, HELM_RELEASE]) {
      for (const namespace of namespaces) {
        const list = await api.list(kind, namespace === undefined ? selection : { ...selection, namespace }, options);
        if (list?.items.some((item) => annotationsOf(item)[`${prefix}/gate`] !== undefined)) return true;
      }
    }
    return false;
  } catch {
    return true;
  }
}

function sayNamespaces(namespaces: readonly string[]): string {
  if (namespaces.includes('')) return ' in all namespaces';
  const more = namespaces.length - NAMED;
  return ` in ${namespaces.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more namespaces` : ''}`;
}

async function kindOf({ api, prefix, namespaces }: FluxDiagnosis, kind: ResourceKind, options: CallOptions) {
  const check = `kind ${kind.plural}`;
  try {
    const [namespace] = namespaces;
    // Few or none of them: it is the kind that is asked about.
    const selection = { labelSelector: `${prefix}/service`, ...(namespace === undefined ? {} : { namespace }) };
    const known = (await api.list(kind, selection, options)) !== undefined;
    const sentence = `the cluster ${known ? 'has' : 'does not know'} ${kind.kind} ${kind.group}/${kind.version}`;
    const remedy = 'install Flux 2.3 or newer, or the controller of it that is missing';
    const finding: Finding = known ? { level: 'ok', check, sentence } : { level: 'warning', check, sentence, remedy };
    return [finding];
  } catch (error) {
    return [failed(check, error)];
  }
}

/** Who has no Helm may live without its kind; without both there is no Flux. */
function withoutAnyApplier(kinds: readonly Finding[]): Finding[] {
  const missing = [KUSTOMIZATION, HELM_RELEASE].every(({ plural }) =>
    kinds.some(({ check, level }) => check === `kind ${plural}` && level === 'warning'),
  );
  return kinds.map((one) => (missing && one.level === 'warning' ? { ...one, level: 'problem' } : one));
}

/** Selectors know no "or": one list for each label that may stand alone. */
async function labelledOf(
  { api, prefix, namespaces }: FluxDiagnosis,
  kind: ResourceKind,
  options: CallOptions,
): Promise<LabelledApplication[]> {
  const found: LabelledApplication[] = [];
  for (const namespace of namespaces) {
    for (const [at, part] of PARTS.entries()) {
      const others = PARTS.slice(0, at).map((one) => `!${prefix}/${one}`);
      const selection = { labelSelector: [`${prefix}/${part}`, ...others].join(',') };
      const list = await api.list(kind, namespace === undefined ? selection : { ...selection, namespace }, options);
      found.push(...(list?.items ?? []).map((item) => toLabelled(kind, item, prefix)));
    }
  }
  return found;
}

function toLabelled(kind: ResourceKind, item: JsonObject, prefix: string): LabelledApplication {
  const { namespace, name } = nameOf(item);
  const [labels, annotations] = [labelsOf(item), annotationsOf(item)];
  const written = (texts: Record<string, string>, part: string): Written => ({
    name: `${prefix}/${part}`,
    ...optional('value', texts[`${prefix}/${part}`]),
  });
  return {
    namespace,
    name: applicationName(kind, name),
    project: written(labels, 'project'),
    stage: written(labels, 'stage'),
    service: written(labels, 'service'),
    url: written(annotations, 'url'),
    resource: `${kind.kind.toLowerCase()}.${kind.group}/${name}`,
  };
}
