import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const FOLDER = new URL('../../argocd-extension/', import.meta.url);
const read = (file: string) => parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Record<string, unknown>;
const dataOf = (file: string) => read(file)['data'] as Record<string, string>;

describe('the manifests that put Lynceus into Argo CD', () => {
  const kustomization = read('kustomization.yaml') as {
    configMapGenerator: { name: string; files: string[] }[];
    patches: { path: string }[];
  };

  it('are patches of what Argo CD has, and all there', () => {
    const names = kustomization.patches.map(({ path }) => (read(path)['metadata'] as { name: string }).name);
    expect(names).toEqual(['argocd-cm', 'argocd-cmd-params-cm', 'argocd-rbac-cm', 'argocd-server']);
  });

  it('link every application to its newest change', () => {
    const links = parse(dataOf('argocd-cm.yaml')['application.links'] ?? '') as { url: string; title: string }[];
    expect(links.map(({ url }) => new URL(url.replaceAll(/\{\{\.app\.metadata\.(\w+)\}\}/g, '$1')).pathname)).toEqual([
      '/find/argocd/namespace/name',
    ]);
    const documented = readFileSync(new URL('../docs/argocd-panel.md', FOLDER), 'utf8');
    expect(documented).toContain(links[0]?.url);
  });

  it('send what the panel asks to the service, with a header from the secret', () => {
    const { services } = parse(dataOf('argocd-cm.yaml')['extension.config.lynceus'] ?? '') as {
      services: { url: string; headers: { name: string; value: string }[] }[];
    };
    const service = parse(readFileSync(new URL('../manifests/service.yaml', FOLDER), 'utf8')) as {
      metadata: { name: string };
    };
    expect(services).toMatchObject([
      {
        url: `http://${service.metadata.name}.lynceus.svc`,
        headers: [{ name: 'Authorization', value: '$lynceus.authorization' }],
      },
    ]);
    expect(dataOf('argocd-cmd-params-cm.yaml')).toEqual({ 'server.enable.proxy.extension': 'true' });
    expect(dataOf('argocd-rbac-cm.yaml')['policy.lynceus.csv']).toMatch(
      /^p, role:\w+, extensions, invoke, lynceus, allow$/m,
    );
  });

  it('mount the panel where Argo CD looks for extensions, under a name that it takes', () => {
    const [generated] = kustomization.configMapGenerator;
    const { containers, volumes } = (
      read('argocd-server.yaml') as {
        spec: {
          template: {
            spec: {
              containers: { volumeMounts: { name: string; mountPath: string }[] }[];
              volumes: { name: string; configMap: { name: string } }[];
            };
          };
        };
      }
    ).spec.template.spec;
    expect(volumes[0]?.configMap.name).toBe(generated?.name);
    expect(containers[0]?.volumeMounts[0]).toMatchObject({
      name: volumes[0]?.name,
      mountPath: expect.stringMatching(/^\/tmp\/extensions\//),
    });
    for (const file of generated?.files ?? []) {
      expect(file).toMatch(/^extension(.*)\.js$/);
      expect(readFileSync(new URL(file, FOLDER), 'utf8')).toContain("'lynceus'");
    }
  });
});
