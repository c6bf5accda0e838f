import type { LabelledApplication, Written } from '../events/finding.ts';
import { isName, webUrl } from '../events/written.ts';

/** Something wrong with what an application says of itself, and how to mend it. */
export interface LabelProblem {
  sentence: string;
  remedy: string;
}

const MAX_SHOWN = 60;

/** What is missing or wrong in the labels and annotations of an application that carries some of ours. */
export function labelProblems(application: LabelledApplication): LabelProblem[] {
  const { project, stage, service, url } = application;
  return [
    ...[project, stage, service].flatMap((label) => labelProblem(label, application)),
    ...(url.value === undefined || webUrl(url.value) !== undefined ? [] : [urlProblem(url.value, url.name)]),
  ];
}

function labelProblem({ name, value }: Written, { resource, namespace }: LabelledApplication): LabelProblem[] {
  if (value !== undefined && isName(value)) return [];
  const sentence =
    value === undefined
      ? `the label ${name} is missing: Lynceus leaves the application alone`
      : `the label ${name} is "${value.slice(0, MAX_SHOWN)}", which is no name: Lynceus leaves the application alone`;
  const overwrite = value === undefined ? '' : ' --overwrite';
  return [{ sentence, remedy: `in Git, or: kubectl -n ${namespace} label${overwrite} ${resource} ${name}=NAME` }];
}

/** Its value is not repeated: it may hold a password. */
function urlProblem(value: string, name: string): LabelProblem {
  const why = /^https?:\/\//i.test(value) ? 'is no address, or holds a password' : 'is no http:// or https:// address';
  return { sentence: `the annotation ${name} ${why}: tests have no target`, remedy: `correct ${name} in Git` };
}
