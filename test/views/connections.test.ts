import { describe, expect, it } from 'vitest';
import type { LabelledApplication } from '../../src/events/finding.ts';
import {
  type ConnectionName,
  type ConnectionsFacts,
  connectionsView,
  type Inspection,
  inspectApplications,
} from '../../src/views/connections.ts';
import { labelProblems } from '../../src/views/label-problems.ts';

const MAIN: ConnectionName = { section: 'deliverySystems', kind: 'argocd', name: 'main', hasWebhook: true };
const NOW = new Date('2026-11-21T12:00:00Z');
const at = (minutesAgo: number) => new Date(NOW.getTime() - minutesAgo * 60_000).toISOString();
const REF = { system: 'main', namespace: 'argocd', name: 'checkout' };
const known = (more: object = {}) => ({
  ...REF,
  place: { project: 'shop', stage: 'dev', service: 'checkout' },
  ...more,
});

const view = (facts: Partial<ConnectionsFacts> & { found?: Inspection } = {}) => {
  const { found, ...rest } = facts;
  return connectionsView({
    names: [MAIN],
    inspection: () => found,
    known: [],
    heard: [],
    now: NOW,
    limit: 10,
    ...rest,
  });
};
const stateOf = (facts: Parameters<typeof view>[0]) => view(facts).applications[0];

const labelled = (more: Partial<LabelledApplication> = {}): LabelledApplication => ({
  namespace: 'argocd',
  name: 'checkout',
  project: { name: 'lynceus.dev/project', value: 'shop' },
  stage: { name: 'lynceus.dev/stage', value: 'dev' },
  service: { name: 'lynceus.dev/service', value: 'checkout' },
  url: { name: 'lynceus.dev/url' },
  resource: 'application.argoproj.io/checkout',
  ...more,
});

describe('an application is silent', () => {
  it('when it changed and nobody told of it within 10 minutes', () => {
    const silent = stateOf({ known: [known({ changedAt: at(11) })] });
    expect(silent).toMatchObject({ state: 'silent', changedAt: at(11) });
    expect(silent?.problems).toEqual([
      {
        sentence: 'changed 2026-11-21 11:49 UTC, not told of within 10 min; never heard of',
        remedy: expect.stringContaining('argocd-notifications'),
      },
    ]);
  });

  it('also when the last notification was long before', () => {
    const heard = [{ ...REF, heardAt: at(60) }];
    expect(stateOf({ known: [known({ changedAt: at(30) })], heard })?.problems[0]?.sentence).toBe(
      'changed 2026-11-21 11:30 UTC, not told of within 10 min; last heard of 2026-11-21 11:00 UTC',
    );
  });

  it.each([
    ['it has not changed since it was first seen', {}, []],
    ['it changed a moment ago: notifications take minutes', { changedAt: at(9) }, []],
    ['it was told of shortly before we saw the change', { changedAt: at(30) }, [{ ...REF, heardAt: at(35) }]],
    ['it was told of after it changed', { changedAt: at(30) }, [{ ...REF, heardAt: at(1) }]],
  ])('not when %s', (_why, more, heard) => {
    expect(stateOf({ known: [known(more)], heard })?.state).toBe('ok');
  });

  it('not when nothing may call us', () => {
    const names = [{ ...MAIN, hasWebhook: false }];
    expect(stateOf({ names, known: [known({ changedAt: at(60) })] })?.state).toBe('ok');
  });

  it('with the events that Flux leaves on its Alert', () => {
    const names = [{ ...MAIN, kind: 'flux' }];
    expect(stateOf({ names, known: [known({ changedAt: at(60) })] })?.problems[0]?.remedy).toMatch(
      /NotificationDispatchFailed and MetadataAppendFailed/,
    );
  });
});

describe('an application that cannot be read', () => {
  const heard = [{ ...REF, heardAt: at(5), unread: 'Argo CD main answered 403: permission denied' }];

  it('says why, also when nothing else is known of it', () => {
    expect(stateOf({ heard })).toMatchObject({
      state: 'unreadable',
      problems: [{ sentence: 'Argo CD main answered 403: permission denied' }],
    });
    expect(stateOf({ heard, known: [known()] })).toMatchObject({ state: 'unreadable', service: 'checkout' });
  });

  it('is forgotten after a day: by then it was deleted, or mended', () => {
    expect(view({ heard: [{ ...REF, heardAt: at(1500), unread: 'denied' }] }).applications).toEqual([]);
  });
});

describe('labels', () => {
  it('are in order with three names', () => {
    expect(labelProblems(labelled())).toEqual([]);
    expect(labelProblems(labelled({ url: { name: 'lynceus.dev/url', value: 'https://dev.example.com' } }))).toEqual([]);
  });

  it.each(['project', 'stage', 'service'] as const)('without %s are named, with the command that adds it', (part) => {
    const name = `lynceus.dev/${part}`;
    expect(labelProblems(labelled({ [part]: { name } }))).toEqual([
      {
        sentence: `the label ${name} is missing: Lynceus leaves the application alone`,
        remedy: `in Git, or: kubectl -n argocd label application.argoproj.io/checkout ${name}=NAME`,
      },
    ]);
  });

  it.each(['', '-dev', 'de v', '../prod', 'x'.repeat(64)])('that are no name (%j) are named', (value) => {
    const [problem] = labelProblems(labelled({ stage: { name: 'lynceus.dev/stage', value } }));
    expect(problem?.sentence).toMatch(/^the label lynceus.dev\/stage is ".{0,60}", which is no name/);
    expect(problem?.remedy).toContain('--overwrite');
  });

  it.each(['javascript:alert(1)', 'dev.example.com', 'ftp://dev', 'https://ada:hunter2@dev.example.com'])(
    'beside an address that is none (%s): the address is not repeated',
    (value) => {
      const problems = labelProblems(labelled({ url: { name: 'lynceus.dev/url', value } }));
      expect(problems).toHaveLength(1);
      expect(JSON.stringify(problems)).not.toContain(value);
    },
  );
});

describe('the view of connections', () => {
  const found = (faulty: LabelledApplication[]): Inspection => ({
    checkedAt: at(1),
    findings: [
      { level: 'ok', check: 'address', sentence: 'answers' },
      { level: 'warning', check: 'clock', sentence: 'late', remedy: 'NTP' },
    ],
    applications: inspectApplications(faulty),
  });

  it('takes what was never looked at for nothing that is well', () => {
    expect(view().connections).toMatchObject([{ name: 'main', level: 'unchecked', findings: [] }]);
    expect(view({ found: { checkedAt: at(1), findings: [] } }).connections[0]?.level).toBe('unchecked');
  });

  it('is as bad as the worst that was found, and says when it last heard of the system', () => {
    const heard = [at(9), at(3), at(20)].map((heardAt, index) => ({ ...REF, name: `a${index}`, heardAt }));
    const facts = {
      found: found([labelled(), labelled({ name: 'half', stage: { name: 'lynceus.dev/stage' } })]),
      heard,
    };
    expect(view(facts).connections[0]).toMatchObject({
      level: 'warning',
      heardAt: at(3),
      labelled: 2,
      checkedAt: at(1),
    });
  });

  it('lists who carries only part of the labels, worst first, up to the limit', () => {
    const half = labelled({ name: 'half', stage: { name: 'lynceus.dev/stage' } });
    const facts = {
      found: found([half]),
      known: [known({ name: 'well' }), known({ name: 'quiet', changedAt: at(60) })],
      heard: [{ ...REF, name: 'hidden', heardAt: at(1), unread: 'denied' }],
    };
    const states = (limit: number) => {
      const { applications, more } = view({ ...facts, limit });
      return { found: applications.map(({ name, state }) => `${name} ${state}`), more };
    };
    expect(states(10)).toEqual({ found: ['hidden unreadable', 'half incomplete', 'quiet silent', 'well ok'], more: 0 });
    expect(states(2)).toEqual({ found: ['hidden unreadable', 'half incomplete'], more: 2 });
  });

  it('says that the newest change could not be planned, as when delivery.yaml has no such stage', () => {
    const planProblem = 'delivery.yaml:1:1 has no stage "dev"';
    expect(stateOf({ known: [known({ planProblem })] })).toMatchObject({
      state: 'incomplete',
      problems: [{ sentence: planProblem }],
    });
  });

  it('leaves out what belongs to systems that are not configured any more', () => {
    expect(
      view({ known: [known({ system: 'old' })], heard: [{ ...REF, system: 'old', heardAt: at(1) }] }),
    ).toMatchObject({
      applications: [],
    });
  });
});

describe('a Git host', () => {
  const HUB: ConnectionName = { section: 'gitHosts', kind: 'github', name: 'hub', hasWebhook: true };
  const found = (webhooks: object, name = HUB) =>
    view({ names: [name], gitWebhooks: [{ host: 'hub', ...webhooks }] }).connections[0];

  it('is silent when it did not tell of a pull request that we opened', () => {
    expect(found({ openedAt: at(11) })).toMatchObject({
      level: 'warning',
      findings: [
        {
          check: 'webhooks',
          sentence: 'did not tell of the pull request opened 2026-11-21 11:49 UTC; never heard of',
          remedy: expect.stringContaining('docs/webhooks.md'),
        },
      ],
    });
    expect(found({ openedAt: at(11), heardAt: at(60) })?.findings[0]?.sentence).toContain(
      'last heard of 2026-11-21 11:00 UTC',
    );
  });

  it.each([
    ['it was heard of since', { openedAt: at(60), heardAt: at(59) }],
    ['it was opened a moment ago', { openedAt: at(9) }],
    ['nothing is open there', {}],
  ])('is not silent when %s', (_why, webhooks) => {
    expect(found(webhooks)).toMatchObject({ findings: [] });
  });

  it('is not silent when nothing may call us', () => {
    expect(found({ openedAt: at(60) }, { ...HUB, hasWebhook: false })?.findings).toEqual([]);
  });

  it('says when it was last heard of', () => {
    expect(found({ heardAt: at(3) })?.heardAt).toBe(at(3));
  });
});
