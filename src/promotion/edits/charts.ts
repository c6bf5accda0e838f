import { isMap, isSeq, type YAMLMap } from 'yaml';
import type { ChangeOf } from '../../definitions/delivery-changes.ts';
import type { PathStep } from '../../definitions/value-path.ts';
import { putValue } from './change-file.ts';
import { originOf } from './changes.ts';
import { type Digests, fieldsAt, type ImageQuestion, putFields, sayImage } from './images.ts';
import { type Spot, textOf } from './locate.ts';
import { readText } from './new-value.ts';
import { type OpenDocument, type OpenFile, refuse, resourceName } from './open-file.ts';
import type { Workspace } from './workspace.ts';

/** The version of a chart: wherever this kind of file says it. */
export function setHelmChart(work: Workspace, change: ChangeOf<'helmChart'>): void {
  const { file, resource, chart, version } = change;
  const before = work.open(file);
  const spot = chartIn(before, chart, resource);
  const wanted = version ?? verifiedVersion(work, change);
  const now = readText(before, spot) ?? 'none';
  work.write(before, putValue(before, spot, { text: wanted }), `chart ${chart}: ${now} -> ${wanted}`);
}

function verifiedVersion(work: Workspace, { from, chart, resource }: ChangeOf<'helmChart'>): string {
  const origin = originOf(from);
  const file = work.openSource(origin?.file ?? '');
  const named = origin !== undefined && 'resource' in origin ? origin.resource : sameResource(file, resource);
  const version = readText(file, chartIn(file, chart, named));
  return version ?? refuse(file, `says no version of the chart ${chart}`);
}

/** The same resource as in the target, if the other file has one of that name. */
function sameResource(file: OpenFile, resource: string | undefined): string | undefined {
  return file.documents.some((document) => resourceName(document) === resource) ? resource : undefined;
}

function chartIn(file: OpenFile, chart: string, resource: string | undefined): Spot {
  const documents = file.documents.filter((one) => resource === undefined || resourceName(one) === resource);
  const spots = documents.flatMap((document) => chartSpots(document, chart));
  const [spot, another] = spots;
  if (spot === undefined) return refuse(file, `does not name the chart ${chart}${of(resource)}`);
  if (another !== undefined)
    return refuse(file, `names the chart ${chart} ${spots.length} times: say which one with "resource"`);
  return spot;
}

function of(resource: string | undefined): string {
  return resource === undefined ? '' : ` in ${resource}`;
}

/** Chart.yaml and kustomizations list charts, Flux has one in a HelmRelease, Argo CD in the sources of an Application. */
function chartSpots(document: OpenDocument, chart: string): Spot[] {
  const { contents } = document;
  if (!isMap(contents)) return [];
  const root = contents as unknown as YAMLMap;
  const kind = root.get('kind');
  const resource = resourceName(document);
  const spot = (...path: PathStep[]): Spot => ({ resource, path });
  const listed = (path: string[], field: string, key: string) =>
    matching(root, path, field, chart).map((at) => spot(...path, at, key));
  const single = (path: string[], field: string, key: string) =>
    textOf(root.getIn([...path, field], true)) === chart ? [spot(...path, key)] : [];
  if (kind === 'HelmRelease') return single(['spec', 'chart', 'spec'], 'chart', 'version');
  if (kind === 'Application' || kind === 'ApplicationSet') {
    const spec = kind === 'Application' ? ['spec'] : ['spec', 'template', 'spec'];
    return [
      ...single([...spec, 'source'], 'chart', 'targetRevision'),
      ...listed([...spec, 'sources'], 'chart', 'targetRevision'),
    ];
  }
  return [...listed(['dependencies'], 'name', 'version'), ...listed(['helmCharts'], 'name', 'version')];
}

function matching(root: YAMLMap, path: readonly string[], field: string, name: string): number[] {
  const list = root.getIn(path);
  if (!isSeq(list)) return [];
  return list.items.flatMap((item, at) => (isMap(item) && textOf(item.get(field, true)) === name ? [at] : []));
}

const REF = ['spec', 'ref'] as const;

/** `spec.ref` of an OCIRepository of Flux. */
export function setOciRepository(
  work: Workspace,
  { file, resource, from, tag, digest }: ChangeOf<'ociRepository'>,
  digestOf: Digests,
): ImageQuestion | undefined {
  const before = work.open(file);
  const spot = { resource: resource ?? onlyOne(before), path: REF };
  const names = ['tag', 'semver', 'digest'];
  const now = fieldsAt(before, spot, names);
  const wanted: Record<string, string | undefined> =
    from === undefined ? { tag, semver: undefined, digest } : verifiedRef(work, from, spot.resource);
  if (digest === 'resolve' && (wanted['digest'] ?? 'resolve') === 'resolve') {
    const url = textOf(urlOf(before, spot.resource));
    if (wanted['tag'] === undefined || url === undefined)
      return refuse(before, 'has no url and tag whose digest could be resolved');
    const question = { image: url.replace(/^oci:\/\//, ''), tag: wanted['tag'] };
    wanted['digest'] = digestOf(question);
    if (wanted['digest'] === undefined) return question;
  }
  const what = `${spot.resource}: ${sayImage(now)} -> ${sayImage(wanted)}`;
  work.write(before, putFields(before, spot, wanted), what);
  return undefined;
}

function verifiedRef(work: Workspace, from: NonNullable<ChangeOf<'ociRepository'>['from']>, resource: string) {
  const origin = originOf(from);
  const file = work.openSource(origin?.file ?? '');
  const named = origin !== undefined && 'resource' in origin ? origin.resource : sameResource(file, resource);
  return fieldsAt(file, { resource: named ?? onlyOne(file), path: REF }, ['tag', 'semver', 'digest']);
}

function onlyOne(file: OpenFile): string {
  const named = file.documents.map(resourceName).filter((name) => name?.startsWith('OCIRepository/'));
  if (named.length === 1 && named[0] !== undefined) return named[0];
  return refuse(
    file,
    `has ${named.length} OCIRepositories${named.length > 1 ? ': say which one with "resource"' : ''}`,
  );
}

function urlOf(file: OpenFile, resource: string): unknown {
  const document = file.documents.find((one) => resourceName(one) === resource);
  return document?.getIn(['spec', 'url'], true);
}
