import type { DeliverySystem } from '../adapters/delivery-systems/delivery-system.ts';
import type { GitHost, Repository } from '../adapters/git-hosts/git-host.ts';
import type { MetricsSource } from '../adapters/metrics/metrics-source.ts';
import type { Registry } from '../adapters/registries/image-registry.ts';
import type { TestRunner } from '../adapters/test-runners/test-runner.ts';
import type { Guard } from '../base/guard.ts';
import type { JsonObject } from '../base/json.ts';
import type { HttpTest } from '../definitions/delivery.ts';
import type { OurMerge } from '../engine/promotion-drift.ts';
import type { SequenceState, TaskState } from '../engine/sequence.ts';
import type { StageVerdict } from '../engine/stage-verdict.ts';
import type { LineStop } from '../engine/stop-the-line.ts';
import type { Application, Place } from '../events/application.ts';
import type { Blocker, DecisionMade, Result, SequenceTriggered, Status, TaskName } from '../events/types.ts';
import type { RiskModel } from '../risk/model.ts';
import type { EarlierEvaluation } from '../slo/evaluation.ts';
import type { PushedIndicators } from './pushed-indicators.ts';

/** What a task has at hand: ports, and the past. Everything else would be reaching through walls. */
export interface TaskTools {
  deliverySystem(name: string): DeliverySystem | undefined;
  /**
   * The host that serves a repository. Without any host configured there is none, and nobody expects one.
   *
   * @throws {AdapterError} hosts are configured, but none serves it: most likely a mistake in their URLs,
   *   and what the team's files demand must not be skipped because of it
   */
  gitHost(repository: Repository): GitHost | undefined;
  /** Without a name: the only source, or the first. */
  metricsSource(name?: string): MetricsSource | undefined;
  /** The registry that has an image, named as in manifests; absent: none is configured. */
  registry?(image: string): Registry | undefined;
  httpTest: TestRunner<HttpTest>;
  history: History;
  /** Whether webhooks tell of what happens in a repository, so that it need not be asked as often. Absent: never. */
  toldByWebhooks?(host: GitHost, repository: Repository): Promise<boolean>;
  /** What people have stopped, everywhere. Absent: nothing. */
  stops?(): Promise<LineStop[]>;
  /** How the risk of a project's changes is estimated: the defaults, until outcomes say better. */
  riskModel(project: string): Promise<RiskModel>;
  /** The page of a change, when a public address is configured. */
  linkTo(context: string): string | undefined;
}

export interface History {
  /** All applications that run a service in a stage, by what was last seen of them. */
  applications(place: Place): Promise<Application['ref'][]>;
  /** Newest first; unfinished and invalidated ones left out. */
  evaluations(place: Place, limit: number): Promise<PastEvaluation[]>;
  /** A finished one by its id, invalidated or not. */
  evaluation(id: string): Promise<PastEvaluation | undefined>;
  /** Numbers that were sent for a place, newest first. */
  pushedIndicators(place: Place, limit: number): Promise<PushedIndicators[]>;
  /**
   * Sequences of a place that were triggered at or after a moment, newest first, finished or not; at most `limit`.
   *
   * @param before only those that were triggered before, ISO 8601
   */
  sequences(place: Place, since: Date, limit?: number, before?: string): Promise<SequenceState[]>;
  sequence(id: string): Promise<SequenceState | undefined>;
  /** The sequences of one change, the first stage first. Absent: only the present one is known. */
  journey?(context: string): Promise<SequenceState[]>;
  /** Evaluations of a place that have a verdict, invalidated ones too, newest first. Absent: none are known. */
  verdicts?(place: Place, limit: number): Promise<StageVerdict[]>;
  /** What promotions and rollbacks of a project have merged of late. Absent: nothing is known. */
  merges?(project: string): Promise<OurMerge[]>;
}

export interface PastEvaluation extends EarlierEvaluation {
  place: Place;
  /** The commit that was judged, where it is known. */
  revision?: string;
  /** Why it must not be compared with. */
  invalidated?: string;
}

export interface TaskInput {
  sequence: SequenceState;
  triggered: SequenceTriggered;
  task: TaskState;
  now: Date;
  signal: AbortSignal;
  guard: Guard;
  /** Shown to people while a long task runs; not part of the log. */
  onProgress: (fraction: number, sentence: string) => void;
  /** Wraps every outside effect, so that tests can let the process die around it. */
  effect: <T>(name: string, act: () => Promise<T>) => Promise<T>;
  /**
   * Does something that only one may do at a time, on all replicas; `busy`: somebody else is at it. `key` names what it is
   * about. Absent: there is nobody else.
   */
  alone?: <T>(key: readonly string[], act: () => Promise<T>) => Promise<T | 'busy'>;
  /** Puts a decision that a person took elsewhere into the log, at once and once: by its id. */
  record: (decision: DecisionMade) => Promise<void>;
}

export type TaskOutcome =
  | { kind: 'finished'; status: Status; result: Result; message: string; data?: JsonObject }
  /** Look again later; `memo` is handed to that look. */
  | { kind: 'waiting'; blocker: Blocker; memo?: JsonObject; askAgainMs: number };

/**
 * One kind of task. `run` is called again and again until it answers `finished`, and again after a
 * crash in the middle: whatever it does outside derives from the task's id and is read back first.
 */
export interface TaskHandler {
  name: TaskName;
  /** @throws {AdapterError} the runtime waits and asks again, unless the reason says that is useless */
  run(input: TaskInput, tools: TaskTools): Promise<TaskOutcome>;
  /** Stops what an aborted task has started outside. Called once after it ended unfinished. */
  stop?(input: TaskInput, tools: TaskTools): Promise<void>;
}

export function pass(message: string, data: JsonObject = {}): TaskOutcome {
  return { kind: 'finished', status: 'succeeded', result: 'pass', message, data };
}

export function fail(message: string, data: JsonObject = {}): TaskOutcome {
  return { kind: 'finished', status: 'succeeded', result: 'fail', message, data };
}

/** The machinery could not do its work: the verdict is fail, and nobody mistakes it for a measured one. */
export function errored(message: string, data: JsonObject = {}): TaskOutcome {
  return { kind: 'finished', status: 'errored', result: 'fail', message, data };
}

export function overtaken(message: string): TaskOutcome {
  return { kind: 'finished', status: 'aborted', result: 'fail', message, data: { reason: 'superseded' } };
}

export function waiting(blocker: Blocker, askAgainMs: number, memo?: JsonObject): TaskOutcome {
  return { kind: 'waiting', blocker, askAgainMs, ...(memo === undefined ? {} : { memo }) };
}
