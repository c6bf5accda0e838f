import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BareRepository, createBareRepository } from '../../examples/sandbox/git.ts';
import type { AdapterTools } from '../../src/adapters/adapter-kind.ts';
import type { GitHost } from '../../src/adapters/git-hosts/git-host.ts';
import { github } from '../../src/adapters/git-hosts/github.ts';
import { local } from '../../src/adapters/git-hosts/local.ts';
import { Secret } from '../../src/base/secret.ts';
import { promotionsOf } from '../../src/engine/promotion.ts';
import { currentTask, evolve, fold, type SequenceState } from '../../src/engine/sequence.ts';
import type { DecisionMade, SequenceEvent } from '../../src/events/types.ts';
import { promotion } from '../../src/tasks/promotion.ts';
import type { TaskOutcome, TaskTools } from '../../src/tasks/task.ts';
import { type FakeGitHub, startFakeGitHub } from './github.ts';
import { decision, planned, step, taskTriggered, triggered } from './sequence.ts';

const TOKEN = 'ghp_robot_canary';
const BRANCH = 'stage/production';
const MAX_LOOKS = 40;

/** The promotion task with a real adapter and a real repository around it; no store, no queue, no delivery system. */
export interface PromotionWorld {
  origin: BareRepository;
  host: GitHost;
  /** A commit that was verified in staging, and its way to production. */
  begin(policy?: object, change?: { author?: string }): Promotion;
  close(): Promise<void>;
}

export interface Promotion {
  /** The commit that was evaluated. */
  commit: string;
  repository: { url: string };
  /** Of the pull request, once it is open. */
  number(): number;
  state(): SequenceState;
  /** One look, as the runtime takes it: what it says is in the log afterwards. */
  look(): Promise<TaskOutcome>;
  /** Looks until it ended, or said the same twice in a row. */
  settle(): Promise<TaskOutcome>;
  /** Something happens in the log. */
  happens(event: SequenceEvent): void;
  /** A person approves with us, where the host has no reviews. */
  approve(actor: string): void;
  decisions(): DecisionMade[];
  /** Names of what was done outside, in order. */
  effects: string[];
  /** Called right before and after each of them. */
  around: ((name: string, when: 'before' | 'after') => void) | undefined;
  /** Milliseconds that the clock is ahead. */
  ahead: number;
}

export interface GitHubPromotions extends PromotionWorld {
  fake: FakeGitHub;
}

/** With the fake GitHub. */
export async function createGitHubPromotions(): Promise<GitHubPromotions> {
  const origin = createBareRepository();
  const fake = await startFakeGitHub(origin, TOKEN);
  const config = { url: fake.url, token: { env: 'GITHUB_TOKEN' }, writeIntervalMs: 0 };
  const host = github.create('github', config, tools(tmpdir()));
  const world = createWorld(origin, host, `${fake.url}/acme/deploy.git`);
  return {
    ...world,
    fake,
    async close() {
      await fake.close();
      origin.remove();
    },
  };
}

/** With a plain repository on this disk. */
export function createLocalPromotions(): PromotionWorld {
  const origin = createBareRepository();
  const cacheDir = mkdtempSync(join(tmpdir(), 'lynceus-promotions-'));
  const host = local.create('local', { urls: [origin.path] }, tools(cacheDir));
  return {
    ...createWorld(origin, host, origin.path),
    async close() {
      origin.remove();
      rmSync(cacheDir, { recursive: true, force: true });
    },
  };
}

function tools(cacheDir: string): AdapterTools {
  return { secret: () => new Secret(TOKEN), addresses: 'any', cacheDir };
}

function createWorld(origin: BareRepository, host: GitHost, repoUrl: string) {
  let count = 0;
  origin.commit({ branch: BRANCH, files: { 'app.json': '{"version": 0}\n' }, message: 'Lay out', author: 'Carol' });
  return {
    origin,
    host,
    begin(policy: object = {}, { author = 'Carol' }: { author?: string } = {}): Promotion {
      count += 1;
      const previousRevision = origin.sha(BRANCH) ?? '';
      const commit = origin.commit({
        branch: `stage/staging-${count}`,
        from: BRANCH,
        files: { [`app-${count}.json`]: `{"version": ${count}}\n` },
        message: `Release ${count}`,
        author,
      });
      return createPromotion({ host, repoUrl, commit, previousRevision, count, policy });
    },
  };
}

interface Wanted {
  host: GitHost;
  repoUrl: string;
  commit: string;
  previousRevision: string;
  count: number;
  policy: object;
}

function createPromotion({ host, repoUrl, commit, previousRevision, count, policy }: Wanted): Promotion {
  const source = { repoUrl, path: '.' };
  const place = { project: 'shop', stage: 'staging', service: `checkout-${count}` };
  const [, ...rest] = planned(step('promotion', { timeLimitMs: 30 * 86_400_000, ...policy }));
  const begun = { revision: commit, previousRevision, source, place, context: `ctx-${count}` };
  const now = () => new Date(Date.now() + told.ahead);
  let state = fold([
    triggered(begun),
    ...rest,
    taskTriggered(1, 'promotion', 30 * 86_400_000, new Date().toISOString()),
  ]);
  const happens = (event: SequenceEvent): void => {
    state = evolve(state, event);
  };
  const taskTools = {
    gitHost: () => host,
    linkTo: () => undefined,
    history: {
      applications: async () => [],
      sequences: async () => [],
      evaluations: async () => [],
      sequence: async () => state,
    },
  } as unknown as TaskTools;

  async function look(): Promise<TaskOutcome> {
    const task = currentTask(state);
    if (!task || !state.triggered) throw new Error(`the promotion is over: ${JSON.stringify(state.tasks.at(-1))}`);
    const outcome = await promotion.run(
      {
        sequence: state,
        task,
        triggered: state.triggered,
        now: now(),
        signal: new AbortController().signal,
        guard: () => undefined,
        onProgress: () => undefined,
        effect: async (name, act) => {
          told.around?.(name, 'before');
          told.effects.push(name);
          const answer = await act();
          told.around?.(name, 'after');
          return answer;
        },
        record: async (made) => {
          if (recorded.some((known) => known.decision === made.decision)) return;
          recorded.push(made);
          happens({ name: 'decision.made', at: now().toISOString(), data: made });
        },
      },
      taskTools,
    );
    const at = now().toISOString();
    if (outcome.kind === 'waiting') {
      const { blocker, memo = task.memo } = outcome;
      happens({ name: 'task.waiting', at, data: { task: task.id, blocker, memo } });
    } else {
      const { status, result, message, data = {} } = outcome;
      happens({
        name: 'task.finished',
        at,
        data: { task: task.id, name: task.name, status, result, message, data },
      });
    }
    return outcome;
  }

  const recorded: DecisionMade[] = [];
  const told: Promotion = {
    commit,
    repository: { url: repoUrl },
    number: () => Number(promotionsOf(state)[0]?.memo['pullRequest'] ?? 0),
    state: () => state,
    look,
    async settle() {
      let said = '';
      for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
        const outcome = await look();
        const says = JSON.stringify(outcome);
        if (outcome.kind === 'finished' || (says === said && outcome.askAgainMs > 0)) return outcome;
        said = outcome.askAgainMs > 0 ? says : '';
      }
      throw new Error(`after ${MAX_LOOKS} looks it still has something new to say: ${said}`);
    },
    happens,
    approve: (actor) => {
      const task = currentTask(state)?.id ?? '';
      const made = decision('approve', { actor, task, revision: commit });
      happens({ ...made, at: now().toISOString() });
    },
    decisions: () => recorded,
    effects: [],
    around: undefined,
    ahead: 0,
  };
  return told;
}
