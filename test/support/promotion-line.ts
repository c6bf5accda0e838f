import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BareRepository, createBareRepository } from '../../examples/sandbox/git.ts';
import type { GitHost, PullRequest } from '../../src/adapters/git-hosts/git-host.ts';
import { local } from '../../src/adapters/git-hosts/local.ts';
import { Secret } from '../../src/base/secret.ts';
import type { PromotionPolicy } from '../../src/definitions/delivery.ts';
import { planToJson } from '../../src/engine/plan.ts';
import { mergesOf } from '../../src/engine/promotion-drift.ts';
import { currentTask, evolve, fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { StageVerdict } from '../../src/engine/stage-verdict.ts';
import type { LineStop } from '../../src/engine/stop-the-line.ts';
import type { DecisionMade, Result, SequenceEvent } from '../../src/events/types.ts';
import { promotion } from '../../src/tasks/promotion.ts';
import type { TaskInput, TaskOutcome, TaskTools } from '../../src/tasks/task.ts';

const PROJECT = 'shop';
const LIMIT_MS = 30 * 86_400_000;

type Policies = Record<string, Partial<PromotionPolicy> & { to: string[] }>;

/** Stages that promote to each other in one real repository, with the promotion task as it is; no store, no queue. */
export interface PromotionLine {
  origin: BareRepository;
  host: GitHost;
  /** A developer's commit; the files are on top of those of the branch. */
  commit(branch: string, files: Record<string, string>, message?: string): string;
  /** A change reached the end of what a stage asks for, and is to be promoted from there. */
  verified(stage: string, context: string, commit: string, service?: string): Verified;
  /** A change is on its way through a stage that it was promoted to, or was judged there. */
  arrived(stage: string, context: string, commit: string, judged?: Result): void;
  pullRequest(number: number): Promise<PullRequest>;
  /** What is on a branch, by file. */
  read(branch: string, file: string): string;
  stops: LineStop[];
  verdicts: StageVerdict[];
  /** Called right after something was done outside; what it throws ends the look as a death would. */
  died: ((effect: string) => void) | undefined;
  /** Milliseconds that the clock is ahead. */
  ahead: number;
  close(): void;
}

export interface Verified {
  commit: string;
  state(): SequenceState;
  look(): Promise<TaskOutcome>;
  /** Looks until it ended, or said the same twice in a row. */
  settle(): Promise<TaskOutcome>;
  number(to: string): number;
  decide(verdict: DecisionMade['verdict'], actor?: string): void;
  happens(event: SequenceEvent): void;
}

/** @param replicas how many processes there are as it were, each with clones of its own; changes take turns */
export function createPromotionLine(
  policies: Policies,
  { replicas = 1, alone }: { replicas?: number; alone?: TaskInput['alone'] } = {},
): PromotionLine {
  const origin = createBareRepository();
  const caches = Array.from({ length: replicas }, () => mkdtempSync(join(tmpdir(), 'lynceus-line-')));
  const gitHosts = caches.map((cacheDir) =>
    local.create('local', { urls: [origin.path] }, { secret: () => new Secret('x'), addresses: 'any', cacheDir }),
  );
  const gitHost = gitHosts[0] as GitHost;
  const states: SequenceState[] = [];
  const branches = new Set(Object.entries(policies).flatMap(([stage, { to }]) => [stage, ...to]));
  let count = 0;
  origin.commit({ branch: 'main', files: { 'app.json': '{"version": 0}\n' }, message: 'Lay out' });
  for (const stage of branches) origin.git('branch', `stage/${stage}`, 'main');

  const line: PromotionLine = {
    origin,
    host: gitHost,
    commit: (branch, files, message = 'Change') => origin.commit({ branch, files, message }),
    verified(stage, context, commit, service = 'checkout') {
      const policy = policies[stage];
      if (!policy) throw new Error(`nothing is promoted from ${stage}`);
      const targets = policy.to.map((to) => ({
        to,
        branch: `stage/${to}`,
        from: Object.keys(policies).filter((one) => policies[one]?.to.includes(to)),
      }));
      const { to: _, changes: __, ...rest } = policy;
      const step = {
        name: 'promotion',
        timeLimitMs: LIMIT_MS,
        targets,
        onPass: 'automatic',
        onWarning: 'none',
        ...rest,
      };
      return follow(begin(stage, context, commit, service, [step]));
    },
    arrived(stage, context, commit, judged) {
      const at = begin(stage, context, commit, 'checkout', []);
      if (judged === undefined) return;
      const reason = judged === 'fail' ? 'failed' : 'completed';
      happens(at, {
        name: 'sequence.finished',
        at: now().toISOString(),
        data: { status: 'succeeded', result: judged, reason, message: judged },
      });
    },
    pullRequest: (number) => gitHost.readPullRequest({ url: origin.path }, number),
    read: (branch, file) => origin.git('show', `${branch}:${file}`),
    stops: [],
    verdicts: [],
    died: undefined,
    ahead: 0,
    close() {
      origin.remove();
      for (const cacheDir of caches) rmSync(cacheDir, { recursive: true, force: true });
    },
  };

  const now = () => new Date(Date.now() + line.ahead);

  function happens(at: number, event: SequenceEvent): void {
    states[at] = evolve(states[at] as SequenceState, event);
  }

  /** Answers its place among all. */
  function begin(stage: string, context: string, commit: string, service: string, steps: object[]): number {
    count += 1;
    const at = new Date(now().getTime() + count).toISOString();
    const sequence = `seq-${count}`;
    const data = planToJson({ steps: steps as never, files: [] });
    const plan = `${sequence}.0-plan`;
    const begun: SequenceEvent[] = [
      {
        name: 'sequence.triggered',
        at,
        data: {
          sequence,
          context,
          place: { project: PROJECT, stage, service },
          revision: commit,
          source: { repoUrl: origin.path, path: '.' },
          automated: false,
          application: {
            system: 'main',
            namespace: 'argocd',
            name: `checkout-${stage}`,
            uid: 'u1',
            systemProject: 'default',
          },
        },
      },
      { name: 'sequence.started', at, data: {} },
      { name: 'task.triggered', at, data: { task: plan, name: 'plan', timeLimitMs: LIMIT_MS } },
      {
        name: 'task.finished',
        at,
        data: { task: plan, name: 'plan', status: 'succeeded', result: 'pass', message: 'planned', data },
      },
    ];
    const task = `${sequence}.1-promotion`;
    const promotes: SequenceEvent = {
      name: 'task.triggered',
      at,
      data: { task, name: 'promotion', timeLimitMs: LIMIT_MS },
    };
    return states.push(fold(steps.length === 0 ? begun : [...begun, promotes])) - 1;
  }

  const toolsOf = (position: number) =>
    ({
      gitHost: () => gitHosts[position % replicas],
      deliverySystem: () => undefined,
      linkTo: () => undefined,
      stops: async () => line.stops,
      history: {
        applications: async ({ stage }: { stage: string }) =>
          stage in policies ? [] : [{ system: 'main', namespace: 'argocd', name: stage }],
        sequence: async (id: string) => states.find(({ triggered }) => triggered?.sequence === id),
        sequences: async (place: { stage: string; service: string }, _since: Date, limit = 1000, before = '~') =>
          states
            .filter(
              ({ triggered }) => triggered?.place.stage === place.stage && triggered.place.service === place.service,
            )
            .filter(({ triggered }) => (triggered?.at ?? '') < before)
            .toSorted((a, b) => (b.triggered?.at ?? '').localeCompare(a.triggered?.at ?? ''))
            .slice(0, limit),
        evaluations: async () => [],
        verdicts: async () => line.verdicts,
        merges: async () => states.flatMap(mergesOf),
      },
    }) as unknown as TaskTools;

  function follow(position: number): Verified {
    const state = () => states[position] as SequenceState;
    const task = () => {
      const current = currentTask(state());
      if (!current) throw new Error(`the promotion is over: ${state().tasks.at(-1)?.message}`);
      return current;
    };
    async function look(): Promise<TaskOutcome> {
      const looked = task();
      const sequence = state();
      if (!sequence.triggered) throw new Error('nothing was triggered');
      const outcome = await promotion.run(
        {
          sequence,
          task: looked,
          triggered: sequence.triggered,
          now: now(),
          signal: new AbortController().signal,
          guard: () => undefined,
          onProgress: () => undefined,
          effect: async (name, act) => {
            const answer = await act();
            line.died?.(name);
            return answer;
          },
          record: async () => undefined,
          ...(alone ? { alone } : {}),
        },
        toolsOf(position),
      );
      const at = now().toISOString();
      const { id, name } = looked;
      if (outcome.kind === 'waiting') {
        const { blocker, memo = looked.memo } = outcome;
        happens(position, { name: 'task.waiting', at, data: { task: id, blocker, memo } });
      } else {
        const { status, result, message, data = {} } = outcome;
        happens(position, { name: 'task.finished', at, data: { task: id, name, status, result, message, data } });
      }
      return outcome;
    }
    return {
      commit: state().triggered?.revision ?? '',
      state,
      look,
      async settle() {
        for (let said = ''; ; ) {
          const outcome = await look();
          const says = JSON.stringify(outcome);
          if (outcome.kind === 'finished' || says === said) return outcome;
          said = says;
        }
      },
      number(to) {
        const memo = state().tasks.at(-1)?.memo['targets'] as Record<string, { pullRequest?: number }> | undefined;
        return Number(memo?.[to]?.pullRequest ?? 0);
      },
      decide(verdict, actor = 'ada') {
        const isOfTask = verdict === 'approve' || verdict === 'reject' || verdict === 'retry';
        const about = isOfTask && currentTask(state()) ? { task: task().id } : {};
        happens(position, {
          name: 'decision.made',
          at: now().toISOString(),
          data: {
            decision: `${verdict}-${count++}`,
            verdict,
            actor,
            method: 'token',
            reason: 'told so',
            revision: state().triggered?.revision ?? '',
            evidence: 'e',
            ...about,
          },
        });
      },
      happens: (event) => happens(position, event),
    };
  }

  return line;
}
