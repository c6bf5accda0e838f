const DIGEST = /sha256:[0-9a-f]{64}/;

/**
 * Whether one of the names that a report has for what was scanned is this image: by digest where the
 * image has one, else by its name and tag.
 */
export function isAboutImage(artifacts: readonly string[], image: string): boolean {
  const digest = DIGEST.exec(image)?.[0];
  if (digest !== undefined) return artifacts.some((artifact) => DIGEST.exec(artifact)?.[0] === digest);
  return artifacts.some((artifact) => normalize(artifact) === normalize(image));
}

/** `nginx` is `docker.io/library/nginx:latest` to every container tool. */
function normalize(image: string): string {
  const [name = ''] = image.trim().split('@');
  const tagged = /:[^/]+$/.test(name) ? name : `${name}:latest`;
  const [first = '', ...rest] = tagged.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  if (hasRegistry) return tagged.replace(/^index\.docker\.io\//, 'docker.io/');
  return rest.length > 0 ? `docker.io/${tagged}` : `docker.io/library/${tagged}`;
}
