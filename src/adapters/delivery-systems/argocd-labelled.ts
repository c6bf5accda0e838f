import type { LabelledApplication } from '../../events/finding.ts';
import { type HttpRequest, MAX_LIST_BYTES } from '../http-client.ts';
import { object, optional, strings, text } from './go-json.ts';

export interface LabelledQuestion {
  ask(request: HttpRequest): Promise<unknown[]>;
  labelPrefix: string;
  /** Also those that carry only the labels of Keptn. */
  keptnLabels: boolean;
  /** In which they are when they do not say so. */
  controlPlaneNamespace: string;
  projects?: string[];
}

export interface ArgoCdLabelled extends LabelledApplication {
  systemProject: string;
}

const LIST_TIMEOUT_MS = 60_000;
const PARTS = ['service', 'project', 'stage'] as const;
const KEPTN = { service: 'keptnService', project: 'keptnProject', stage: 'stage' } as const;
/** Of a list only these are wanted: with them 5,000 applications are a few megabytes. */
const FIELDS = ['name', 'namespace', 'labels', 'annotations'].map((field) => `items.metadata.${field}`);

/** All applications that carry a label of ours. Selectors know no "or", so one list for each label that may stand alone. */
export async function listLabelled(question: LabelledQuestion): Promise<ArgoCdLabelled[]> {
  const { labelPrefix: prefix, keptnLabels, projects } = question;
  const selectors: (string | undefined)[] = keptnLabels
    ? [undefined]
    : PARTS.map((part, at) => [`${prefix}/${part}`, ...PARTS.slice(0, at).map((one) => `!${prefix}/${one}`)].join(','));
  const found: ArgoCdLabelled[] = [];
  for (const selector of selectors) {
    const items = await question.ask({
      method: 'GET',
      path: '/api/v1/applications',
      query: {
        ...(selector === undefined ? {} : { selector }),
        ...(projects === undefined ? {} : { projects }),
        fields: [...FIELDS, 'items.spec.project', 'metadata.resourceVersion'].join(','),
      },
      maxResponseBytes: MAX_LIST_BYTES,
      timeoutMs: LIST_TIMEOUT_MS,
    });
    found.push(...items.flatMap((item) => labelledOf(item, question)));
  }
  return found;
}

function labelledOf(item: unknown, { labelPrefix, keptnLabels, controlPlaneNamespace }: LabelledQuestion) {
  const metadata = object(object(item)['metadata']);
  const name = text(metadata['name']);
  const labels = strings(metadata['labels']);
  const annotations = strings(metadata['annotations']);
  const ours = PARTS.some((part) => labels[`${labelPrefix}/${part}`] !== undefined);
  const keptns = keptnLabels && (labels[KEPTN.service] !== undefined || labels[KEPTN.project] !== undefined);
  if (name === undefined || !(ours || keptns)) return [];
  const written = (part: (typeof PARTS)[number]) => {
    const label = ours ? `${labelPrefix}/${part}` : KEPTN[part];
    return { name: label, ...optional('value', labels[label]) };
  };
  const url = `${labelPrefix}/url`;
  return [
    {
      namespace: text(metadata['namespace']) ?? controlPlaneNamespace,
      name,
      project: written('project'),
      stage: written('stage'),
      service: written('service'),
      url: { name: url, ...optional('value', annotations[url]) },
      resource: `application.argoproj.io/${name}`,
      systemProject: text(object(object(item)['spec'])['project']) ?? 'default',
    },
  ];
}
