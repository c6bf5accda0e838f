import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { deliverySystemKinds } from '../src/adapters/delivery-systems/registry.ts';
import { eventSinkKinds } from '../src/adapters/event-sinks/registry.ts';
import { gitHostKinds } from '../src/adapters/git-hosts/registry.ts';
import { metricsSourceKinds } from '../src/adapters/metrics/registry.ts';
import { registryKinds } from '../src/adapters/registries/registry.ts';
import type { FailureReason } from '../src/base/adapter-error.ts';
import { sayDuration } from '../src/base/duration.ts';
import { EXIT } from '../src/cli/command.ts';
import { parseConnections } from '../src/config/connections.ts';
import { SETTINGS } from '../src/config/environment.ts';
import { deliverySchema } from '../src/definitions/delivery-schema.ts';
import { DELIVERY_DEFAULTS, parseDelivery } from '../src/definitions/delivery-yaml.ts';
import { parseOpenSlo } from '../src/definitions/openslo-yaml.ts';
import { type Parsed, sayProblem } from '../src/definitions/problem.ts';
import { parseSli } from '../src/definitions/sli-yaml.ts';
import { parseSlo } from '../src/definitions/slo-yaml.ts';
import { planDelivery } from '../src/engine/plan.ts';
import { PROBLEM_TITLES } from '../src/http/problem.ts';
import { createMetrics } from '../src/runtime/metrics.ts';
import { openStore } from '../src/store/open.ts';
import type { Store } from '../src/store/store.ts';
import { MAY_IMPORT } from './support/doors.ts';

const root = path.resolve(import.meta.dirname, '..');
const text = (file: string) => readFileSync(path.join(root, file), 'utf8');
const filesIn = (folder: string) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => path.join(folder, file));

const PAGES = [
  'README.md',
  'CHANGELOG.md',
  ...['docs', 'examples', 'argocd-notifications', 'flux-alerts']
    .flatMap(filesIn)
    .filter((file) => file.endsWith('.md')),
];
const SOURCES = filesIn('src').filter((file) => file.endsWith('.ts'));

/** What stands under a heading, up to the next heading of the same or a higher level. */
function section(page: string, heading: string): string {
  const lines = text(page).split('\n');
  const at = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (at < 0) throw new Error(`${page} has no section "${heading}"`);
  const level = lines[at]?.match(/^#+/)?.[0].length ?? 0;
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => (line.match(/^(#+) /)?.[1]?.length ?? 9) <= level);
  return rest.slice(0, end < 0 ? undefined : end).join('\n');
}

/** The cells of all table rows whose first cell is code. */
function rows(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(1, -1).split('|'))
    .map((cells) => cells.map((cell) => cell.trim()));
}

const codesIn = (markdown: string) => [...markdown.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] as string);
const fences = (page: string, language: string) =>
  [...text(page).matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)]
    .filter((match) => match[1] === language)
    .map((match) => match[2] as string);
const firstCodes = (markdown: string) => rows(markdown).map(([cell]) => codesIn(cell ?? '')[0] ?? '');

const problemsOf = (parsed: Parsed<unknown>) => (parsed.ok ? [] : parsed.problems.map(sayProblem));

const parseLynceusYaml = (source: string, file: string) =>
  parseConnections(
    source,
    file,
    {
      env: new Proxy({}, { get: (_, name) => `the secret of ${String(name)}` }),
      readFile: (name) => `the secret in ${name}`,
    },
    { addresses: 'operator', cacheDir: path.join(tmpdir(), 'never-written') },
  );

const PARSERS: Record<string, (source: string, file: string) => Parsed<unknown>> = {
  'delivery.yaml': parseDelivery,
  'slo.yaml': parseSlo,
  'sli.yaml': parseSli,
  'lynceus.yaml': parseLynceusYaml,
};

describe('the configuration page', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lynceus-docs-'));
    store = await openStore({ dataDir: folder });
  });
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lists every setting with its default and its meaning, and no other', () => {
    const listed = rows(section('docs/configuration.md', 'Environment')).map(([name, fallback, meaning]) => ({
      name: codesIn(name ?? '')[0],
      default: codesIn(fallback ?? '')[0] ?? '',
      description: meaning,
    }));
    expect(listed).toEqual(
      SETTINGS.map(({ name, default: fallback, description }) => ({ name, default: fallback, description })),
    );
  });

  it('lists every metric of our own with its labels, and no other', async () => {
    const described = await createMetrics(store).registry.getMetricsAsJSON();
    const own = described.filter(({ name }) => name.startsWith('lynceus_'));
    const listed = rows(section('docs/configuration.md', 'Metrics'));
    expect(listed.map(([name, type, , help]) => [codesIn(name ?? '')[0], type, help])).toEqual(
      own.map(({ name, type, help }) => [name, String(type), help]),
    );
    const source = text('src/runtime/metrics.ts');
    for (const [name, , labels] of listed) {
      const declared = new RegExp(`name: '${codesIn(name ?? '')[0]}',[\\s\\S]*?labelNames: \\[(.*?)\\]`).exec(
        source,
      )?.[1];
      expect(
        codesIn(labels ?? '')
          .map((label) => `'${label}'`)
          .join(', '),
        name,
      ).toBe(declared);
    }
  });

  it.each([
    ...deliverySystemKinds.map((kind) => ['Delivery systems', kind] as const),
    ...gitHostKinds.map((kind) => ['Git hosts', kind] as const),
    ...metricsSourceKinds.map((kind) => ['Metrics', kind] as const),
    ...registryKinds.map((kind) => ['Registries', kind] as const),
    ...eventSinkKinds.map((kind) => ['Event sinks', kind] as const),
  ])('has a section for %s of each kind with all of its fields', (port, { kind, schema }) => {
    const common = ['webhookTokens', 'watch'].filter(() => port === 'Delivery systems');
    const own = rows(section('docs/configuration.md', `${port}: \`${kind}\``)).flatMap(([cell]) => codesIn(cell ?? ''));
    const overHttp = rows(section('docs/configuration.md', 'Over HTTP')).flatMap(([cell]) => codesIn(cell ?? ''));
    const isOverHttp = 'clientKey' in schema.properties;
    const listed = [...own, ...overHttp.filter((field) => isOverHttp && field in schema.properties)];
    expect(listed).toEqual(expect.arrayContaining(Object.keys(schema.properties)));
    expect(listed.filter((field) => !(field in schema.properties) && !common.includes(field))).toEqual([]);
  });
});

describe('the page about delivery.yaml', () => {
  const page = 'docs/delivery.md';
  const words = new Set([...codesIn(text(page)), ...fences(page, 'yaml')].join(' ').split(/[^\w]+/));

  it('names every field that the schema knows', () => {
    expect(fieldsOf(deliverySchema).filter((field) => !words.has(field))).toEqual([]);
  });

  it('names every default', () => {
    const codes = codesIn(text(page)).join(' ');
    expect(Object.values(DELIVERY_DEFAULTS).filter((value) => !codes.includes(String(value)))).toEqual([]);
  });

  it('gives every task the time limit that it has', () => {
    const listed = new Map(rows(section(page, 'What happens to a change')).map(([name, , limit]) => [name, limit]));
    const { steps } = planDelivery(everything());
    expect(steps.map(({ name }) => name)).toEqual([...listed.keys()].slice(1).map((cell) => codesIn(cell ?? '')[0]));
    for (const step of steps) {
      const own = step.name === 'soak' ? step.durationMs : 0;
      expect(listed.get(`\`${step.name}\``), step.name).toBe(sayDuration(step.timeLimitMs - own));
    }
  });
});

function everything(): Parameters<typeof planDelivery>[0] {
  const delivery = parseDelivery(
    `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: all}
spec:
  stages:
    - {name: a, branch: a, rollout: {paused: promote}, checks: {windows: [{deny: "22:00/06:00"}]}, approval: {}, tests: [{http: {}}],
       evaluation: {slo: slo.yaml}, soak: 1s, promotion: {}, onFailure: rollback}
    - {name: b, branch: b}
`,
    'delivery.yaml',
  );
  const slo = parseSlo(text('examples/deploy-repository/slo.yaml'), 'slo.yaml');
  if (!delivery.ok || !slo.ok) throw new Error('the definitions of this test are wrong');
  return { stage: delivery.value.stages[0]!, slo: slo.value, promotionTargets: [{ to: 'p', branch: 'b' }], files: [] };
}

/** All names of properties in a JSON Schema. */
function fieldsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {} } = schema as { properties?: object };
  return [...Object.keys(properties), ...Object.values(schema).flatMap(fieldsOf)];
}

describe('the page about errors', () => {
  const page = 'docs/errors.md';

  it('lists every code that the API answers, and no other', () => {
    const patterns = [
      /new Refusal\(\s*\d+,\s*'([a-z0-9-]+)'/g,
      /\bcode: '([a-z0-9-]+)'/g,
      /refuse\((?:\d+, )?'([a-z0-9-]+)'/g,
    ];
    const used = SOURCES.filter((file) => /^src\/http\/|^src\/engine\/decisions/.test(file)).flatMap((file) =>
      patterns.flatMap((pattern) => [...text(file).matchAll(pattern)].map((match) => match[1] as string)),
    );
    const known = new Set([...Object.keys(PROBLEM_TITLES), ...used]);
    expect(firstCodes(section(page, 'Answers of the API')).sort()).toEqual([...known].sort());
  });

  it('lists every reason of a failure, and no other', () => {
    const reasons: Record<FailureReason, true> = {
      unavailable: true,
      timeout: true,
      'rate-limited': true,
      unauthenticated: true,
      forbidden: true,
      'not-found': true,
      conflict: true,
      rejected: true,
      'bad-response': true,
      cancelled: true,
    };
    expect(firstCodes(section(page, 'Reasons of failures')).sort()).toEqual(Object.keys(reasons).sort());
  });

  it('lists every exit code, and no other', () => {
    const listed = [...section(page, 'Exit codes').matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    expect(listed).toEqual(Object.values(EXIT));
  });
});

describe('the page about events', () => {
  const page = 'docs/events.md';
  const types = text('src/events/types.ts');

  it('has a section for every type of event that is written', () => {
    const written = SOURCES.flatMap((file) => [
      ...[...text(file).matchAll(/dev\.lynceus\.([a-z]+\.[a-z]+)\.v1/g)].map((match) => match[1]),
      ...[...text(file).matchAll(/eventType\('([a-z.]+)'\)/g)].map((match) => match[1]),
      ...[...text(file).matchAll(/^ {2}'([a-z]+\.[a-z]+)'[:,]/gm)].map((match) => match[1]),
    ]);
    const described = [...text(page).matchAll(/^## dev\.lynceus\.(.+)\.v1$/gm)].map((match) => match[1]);
    expect(described.sort()).toEqual([...new Set(written)].sort());
  });

  it.each([
    ...[...types.matchAll(/^ {2}'([a-z.]+)': (\w+);/gm)].map((match) => [match[1] as string, match[2] as string]),
    ['application.changed', 'ApplicationChanged'],
  ])('describes every field of %s', (name, type) => {
    const body = new RegExp(`^export interface ${type} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(types)?.[1] ?? '';
    const fields = [...body.matchAll(/^ {2}(\w+)\??:/gm)].map((match) => match[1]);
    expect(fields.length).toBeGreaterThan(0);
    const described = rows(section(page, `dev.lynceus.${name}.v1`)).flatMap(([cell]) => codesIn(cell ?? ''));
    expect(described.sort()).toEqual(fields.sort());
  });
});

describe('the page about architecture', () => {
  it('has the doors that the architecture test has', () => {
    const listed = rows(section('docs/architecture.md', 'Rooms and doors')).map(([room, others]) => [
      codesIn(room ?? '')[0],
      codesIn(others ?? ''),
    ]);
    expect(listed).toEqual(Object.entries(MAY_IMPORT));
  });

  it('is drawn in the README with every room', () => {
    const tree = section('README.md', 'The house');
    const folders = readdirSync(path.join(root, 'src'), { withFileTypes: true }).filter((one) => one.isDirectory());
    const missing = folders.filter(({ name }) => name !== 'base' && !tree.includes(` ${name}/ `));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

describe('every page', () => {
  it.each(PAGES)('%s links only to what is there', (page) => {
    const links = [...text(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] as string);
    const broken = links.filter((link) => !/^https?:/.test(link)).filter((link) => !leadsSomewhere(page, link));
    expect(broken).toEqual([]);
  });

  it('names only npm scripts that there are', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const named = PAGES.flatMap((page) => [
      ...[...text(page).matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map((match) => match[1] as string),
      ...[...text(page).matchAll(/npm (start|test)\b/g)].map((match) => match[1] as string),
    ]);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names only commands that the command line has, and each of those somewhere', () => {
    const help = execFileSync(process.execPath, ['src/main.ts', '--help'], { cwd: root, encoding: 'utf8' });
    // One with two names stands there as `pause|hold`.
    const known = [...help.matchAll(/^ {2}([a-z-]+(?:\|[a-z-]+)?)(?: |$)/gm)]
      .flatMap((match) => match[1]?.split('|') ?? [])
      .filter((name) => name !== 'help');
    expect(known).toContain('serve');
    const code = PAGES.flatMap((page) => [
      ...codesIn(text(page)),
      ...fences(page, 'sh').flatMap((one) => one.split('\n')),
    ]);
    const named = code.flatMap((line) => /^(?:npm run lynceus -- |lynceus )([a-z-]+)/.exec(line)?.[1] ?? []);
    expect([...new Set(named)].sort()).toEqual(known.sort());
  });

  it('shows only files that the parsers of the service accept', () => {
    const seen = new Set<string>();
    for (const page of PAGES) {
      for (const block of fences(page, 'yaml')) {
        const kind = /^# (\S+)/.exec(block)?.[1] ?? '';
        const parse = PARSERS[kind];
        if (parse) {
          seen.add(kind);
          expect(problemsOf(parse(block, page))).toEqual([]);
        } else expect(yamlErrors(block), page).toEqual([]);
      }
    }
    expect([...seen].sort()).toEqual(Object.keys(PARSERS).sort());
  });

  it('says nothing about the machine it was written on', () => {
    const told = [...PAGES, 'Dockerfile', ...filesIn('manifests'), ...filesIn('examples')].filter((file) =>
      /\.(?:md|yaml)$|Dockerfile/.test(file),
    );
    expect(told.filter((file) => /(?:^|[\s"'(`=])\/(?:work|home|root|Users)\/|[A-Z]:\\\\/m.test(text(file)))).toEqual(
      [],
    );
  });
});

function leadsSomewhere(page: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page : path.join(path.dirname(page), file);
  if (!existsSync(path.join(root, target))) return false;
  return anchor === undefined || anchorsOf(target).includes(anchor);
}

/** As GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...text(page).matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] as string)
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

function yamlErrors(source: string): string[] {
  const documents = parseAllDocuments(source);
  return Array.isArray(documents) ? documents.flatMap(({ errors }) => errors.map(({ message }) => message)) : [];
}

describe('the examples', () => {
  const folder = 'examples/deploy-repository';

  it.each([
    ['examples/lynceus.yaml', parseLynceusYaml],
    [`${folder}/delivery.yaml`, parseDelivery],
    [`${folder}/slo.yaml`, parseSlo],
    [`${folder}/slo-dev.yaml`, parseSlo],
    [`${folder}/sli.yaml`, parseSli],
    [`${folder}/availability.openslo.yaml`, parseOpenSlo],
  ])('%s is valid', (file, parse) => {
    expect(problemsOf(parse(text(file), file))).toEqual([]);
  });

  it('have every file that delivery.yaml names, and a query for every indicator that sli.yaml must answer', () => {
    const delivery = parseDelivery(text(`${folder}/delivery.yaml`), 'delivery.yaml');
    if (!delivery.ok) throw new Error('delivery.yaml is invalid');
    for (const { name, evaluation, checks } of delivery.value.stages) {
      const files = [evaluation?.slo, ...(evaluation?.sli ?? []), checks.errorBudget?.openslo].filter(
        (file) => file !== undefined,
      );
      expect(
        files.filter((file) => !existsSync(path.join(root, folder, file))),
        name,
      ).toEqual([]);
      const [file] = evaluation?.sli ?? [];
      const sli = file === undefined ? undefined : parseSli(text(`${folder}/${file}`), 'sli.yaml');
      const slo = evaluation && parseSlo(text(`${folder}/${evaluation.slo}`), 'slo.yaml');
      if (sli === undefined) continue;
      if (!sli.ok || !slo?.ok) throw new Error('sli.yaml or slo.yaml is invalid');
      expect(slo.value.objectives.map((objective) => objective.sli).filter((one) => !(one in sli.value))).toEqual([]);
    }
  });

  it('have an application for every stage, on its branch, with auto-sync only where the stage is automatic', () => {
    const delivery = parseDelivery(text(`${folder}/delivery.yaml`), 'delivery.yaml');
    if (!delivery.ok) throw new Error('delivery.yaml is invalid');
    const applications = parseAllDocuments(text(`${folder}/applications.yaml`)) as unknown as { toJS(): unknown }[];
    const described = applications.map((document) => {
      const { metadata, spec } = document.toJS() as {
        metadata: { labels: Record<string, string> };
        spec: { source: { targetRevision: string }; syncPolicy?: { automated?: object } };
      };
      return {
        stage: metadata.labels['lynceus.dev/stage'],
        service: metadata.labels['lynceus.dev/service'],
        branch: spec.source.targetRevision,
        sync: spec.syncPolicy?.automated === undefined ? 'gated' : 'automatic',
      };
    });
    const [service] = delivery.value.services;
    expect(described).toEqual(
      delivery.value.stages.map(({ name, branch, sync }) => ({ stage: name, service, branch, sync })),
    );
  });
});
