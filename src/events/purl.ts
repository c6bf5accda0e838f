/** A reference to an image as a package URL: what CDEvents call an artifact. */
export function imagePurl(reference: string): string {
  const [rest = '', digest] = reference.split('@');
  const slash = rest.lastIndexOf('/');
  const colon = rest.indexOf(':', slash + 1);
  const repository = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const name = repository.slice(repository.lastIndexOf('/') + 1).toLowerCase();
  const query = [
    ...(repository.includes('/') ? [`repository_url=${encodeURIComponent(repository.toLowerCase())}`] : []),
    ...(tag ? [`tag=${encodeURIComponent(tag)}`] : []),
  ].join('&');
  const version = digest ? `@${encodeURIComponent(digest)}` : '';
  return `pkg:oci/${encodeURIComponent(name)}${version}${query === '' ? '' : `?${query}`}`;
}

/** Manifests at a commit, where it is not known as which images they run. */
export function commitPurl(service: string, revision: string): string {
  return `pkg:generic/${encodeURIComponent(service)}@${encodeURIComponent(revision)}`;
}
