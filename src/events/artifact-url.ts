import { isDigest } from './report.ts';

/** What a package URL (purl) or an image reference says of an image. */
export interface Artifact {
  /** Without tag and digest. */
  image?: string;
  digest?: string;
  tag?: string;
}

/**
 * Reads `pkg:oci/checkout@sha256%3A…?repository_url=ghcr.io/acme/checkout&tag=1.8.2` and
 * `ghcr.io/acme/checkout:1.8.2@sha256:…`. A version of anything but an image (`pkg:npm/…`) is no tag of one.
 */
export function readArtifact(text: string): Artifact {
  return text.startsWith('pkg:') ? fromPurl(text) : fromReference(text);
}

function fromPurl(purl: string): Artifact {
  const found = /^pkg:(oci|docker)\/([^@?#]+)(?:@([^?#]*))?(?:\?([^#]*))?/i.exec(purl);
  if (!found) return {};
  const [, type = '', name = '', version = '', query = ''] = found;
  const said = decode(version);
  const qualifiers = new URLSearchParams(query);
  const repository = qualifiers.get('repository_url');
  const isWhole = type.toLowerCase() === 'oci' && repository !== null;
  const image = isWhole ? repository : [repository, decode(name)].filter(Boolean).join('/');
  const tag = qualifiers.get('tag') ?? (said !== '' && !said.includes(':') ? said : undefined);
  return { image, ...(isDigest(said) ? { digest: said } : {}), ...(tag ? { tag } : {}) };
}

/** A colon before the last slash belongs to a port. */
function fromReference(text: string): Artifact {
  const [reference = '', digest = ''] = text.split('@');
  const slash = reference.lastIndexOf('/');
  const colon = reference.indexOf(':', slash + 1);
  const [image, tag] = colon < 0 ? [reference, ''] : [reference.slice(0, colon), reference.slice(colon + 1)];
  return { ...(image ? { image } : {}), ...(isDigest(digest) ? { digest } : {}), ...(tag ? { tag } : {}) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
