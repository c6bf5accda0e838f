import { AdapterError } from '../../base/adapter-error.ts';

const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_HOSTS = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];
/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const MAX_NAME = 255;

/** Where an image is, by its name in manifests: without a host it is one of Docker Hub. */
export function splitImage(image: string): { host: string; repository: string } {
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost';
  const host = isHost ? first.toLowerCase() : DOCKER_HUB;
  const repository = isHost ? image.slice(slash + 1) : image;
  if (!DOCKER_HUB_HOSTS.includes(host)) return { host, repository };
  return { host: DOCKER_HUB, repository: repository.includes('/') ? repository : `library/${repository}` };
}

/** The host that manifests name where the registry itself answers at this one. */
export function imageHost(host: string): string {
  return DOCKER_HUB_HOSTS.includes(host) ? DOCKER_HUB : host.toLowerCase();
}

/** @throws {AdapterError} `rejected`: no registry has an image of such a name, or such a tag */
export function requireImage(repository: string, tag: string): void {
  if (repository.length > MAX_NAME || !REPOSITORY.test(repository))
    throw new AdapterError('rejected', `${JSON.stringify(repository.slice(0, 100))} is not the name of an image`);
  if (!TAG.test(tag)) throw new AdapterError('rejected', `${JSON.stringify(tag.slice(0, 100))} is not a tag`);
}
