import type { JsonObject } from '../base/json.ts';
import type { ApplicationRef, Place } from './application.ts';

/** Did the machinery work. */
export type Status = 'succeeded' | 'errored' | 'aborted';
/** The verdict. */
export type Result = 'pass' | 'warning' | 'fail';

export type TaskName =
  | 'plan'
  | 'checks'
  | 'approval'
  | 'sync'
  | 'rollout'
  | 'test'
  | 'evaluation'
  | 'release'
  | 'soak'
  | 'promotion'
  | 'rollback';

/**
 * Why a change does not move, in one sentence of at most 90 characters that carries the number and
 * the limit; `until` says when it goes on by itself.
 */
export interface Blocker {
  kind:
    | 'queue'
    | 'unreachable'
    | 'data'
    | 'budget'
    | 'risk'
    | 'window'
    | 'approval'
    | 'sync'
    | 'health'
    | 'tests'
    | 'evaluation'
    | 'soak'
    | 'review'
    | 'conflict'
    | 'stopped';
  sentence: string;
  until?: string;
  /** Nobody does it by itself: a person has to. */
  byHand?: true;
}

export interface SequenceTriggered {
  sequence: string;
  /** Names the change from its first to its last stage. */
  context: string;
  place: Place;
  /** The commit that is delivered; everything that follows is bound to it. Of several sources the leading one's. */
  revision: string;
  /** By source, in the order of the application's spec; only where there are several. */
  revisions?: string[];
  /** Of a hydrated application, whose `revision` is of the hydrated branch: what people wrote. Empty: not known. */
  drySha?: string;
  /** The commit that was delivered here before. */
  previousRevision?: string;
  /** Where its files are in Git, with their commits there where these are not those of the sequence. */
  source: {
    repoUrl: string;
    path: string;
    revision?: string;
    previousRevision?: string;
    /** Present: no files in Git at all, only a chart. */
    kind?: 'helm' | 'oci';
  };
  /** Where delivery.yaml is, when the application says so. */
  deliveryFile?: string;
  /** The delivery system syncs by itself. */
  automated: boolean;
  application: ApplicationRef;
  /** Who it belongs to, and who looks after it, as the application's labels and annotations say. Not in older logs. */
  team?: string;
  owners?: string[];
  /** Images that ran when it was triggered; absent: not known, or it was deployed by then. */
  running?: string[];
  /** The promotion that brought the change here. */
  promotedBy?: { sequence: string; pullRequest: number };
  /** Present: no new change, but the revert commit of a rollback of ours. */
  rollsBack?: RollsBack;
  /** Present: a person asked for it once the change was over. */
  asked?: Asked;
}

/** How a stage goes back to a good commit. */
export const ROLLBACK_WAYS = ['sync', 'pullRequest'] as const;
export type RollbackWay = (typeof ROLLBACK_WAYS)[number];

/** A wish about a change that is over, carried out by a sequence of its own with the commit of the change. */
export interface Asked {
  /** Take it back, or deliver it past checks and approval. */
  what: 'rollback' | 'override';
  /** The sequence of the change's delivery. */
  sequence: string;
  decision: string;
  actor: string;
  reason: string;
  /** Where the person says how to go back. */
  by?: RollbackWay;
}

/** What a revert commit takes back, and to which commit. */
export interface RollsBack {
  /** The sequence that failed, and its commit. */
  sequence: string;
  revision: string;
  /** The commit whose files the stage has again. */
  to: string;
  pullRequest: number;
}

export interface TaskTriggered {
  task: string;
  name: TaskName;
  timeLimitMs: number;
}

export interface TaskWaiting {
  task: string;
  blocker: Blocker;
  /** What the task wants to remember until its next look. */
  memo: JsonObject;
}

export interface TaskFinished {
  task: string;
  name: TaskName;
  status: Status;
  result: Result;
  message: string;
  data: JsonObject;
}

/** What the Git host said of somebody who decided there. */
export interface DecidedAtHost {
  /** The configured name of the host, and the id that it has given the person: a name may be somebody else's tomorrow. */
  host: string;
  person: string;
  login: string;
  pullRequest: number;
  /** The stage that it leads to. */
  to: string;
  /** When it was reviewed or written there, ISO 8601. */
  at: string;
  /** The commit that a review looked at. */
  headSha?: string;
  /** The id of the comment that said it. */
  comment?: string;
}

/** Who somebody is for the sign-in provider: a name may be somebody else's later, this never is. */
export type ProvidersWord = { issuer: string; subject: string };

/** Who did something, and how they were recognised. */
export interface MadeBy {
  actor: string;
  method: 'token' | 'session' | 'local' | 'review' | 'comment';
  /** Of a session. */
  identity?: ProvidersWord;
}

export interface DecisionMade {
  /** Unique per decision; a repeated request is the same decision. */
  decision: string;
  verdict: 'promote' | 'approve' | 'reject' | 'pause' | 'resume' | 'abort' | 'override' | 'rollback' | 'retry' | 'sync';
  /** The task it is about; the other verdicts are about the sequence. An override with one is of a promotion's gates. */
  task?: string;
  actor: string;
  method: MadeBy['method'];
  identity?: ProvidersWord;
  /** Of a review, or a comment on the pull request. */
  host?: DecidedAtHost;
  reason: string;
  /** What the actor saw: the commit and the hash of the evidence. */
  revision: string;
  evidence: string;
  /** How to go back, where the person says so. */
  by?: RollbackWay;
}

export interface SequenceFinished {
  status: Status;
  result: Result;
  reason: 'completed' | 'failed' | 'superseded' | 'aborted' | 'timed-out' | 'rejected';
  message: string;
  /** The newer sequence, when superseded. */
  by?: string;
}

/** What an application looked like when it last mattered. */
export interface ApplicationChanged {
  ref: ApplicationRef;
  place: Place;
  targetRevision: string;
  /** By source, in the order of the spec; only where there are several. */
  targetRevisions?: string[];
  /** The sequence that this change started, if it did. */
  sequence?: string;
  /** Present: none of its files changed, so nothing was started. */
  untouched?: true;
}

/** Somebody asks for an evaluation, beside any change under way. */
export interface EvaluationTriggered {
  evaluation: string;
  context: string;
  place: Place;
  /** The commit that is judged, where it is known. */
  revision?: string;
  /** Where delivery.yaml and what it names are read; absent: the texts below are all there is. */
  files?: { repoUrl: string; path: string; revision: string; deliveryFile?: string };
  /** ISO 8601. */
  period: { start: string; end: string };
  /** Metrics take so long to arrive. */
  delayMs: number;
  /** Texts of slo.yaml and sli.yaml. */
  slo?: string;
  sli?: string;
  /** Numbers by indicator that came along. */
  values?: Record<string, number>;
  labels: Record<string, string>;
  provider?: string;
  /** As in delivery.yaml. */
  compareWith?: JsonObject;
  compatibility?: 'strict' | 'keptn';
  requestedBy: string;
  /** Hash of what was asked for under a key. */
  asked?: string;
  /** The evaluation that is done again. */
  again?: string;
}

export interface EvaluationFinished {
  evaluation: string;
  status: Status;
  result: Result;
  message: string;
  data: JsonObject;
}

/** It must not be compared with any more. */
export interface EvaluationInvalidated {
  evaluation: string;
  actor: string;
  reason: string;
}

/** It may be compared with again. */
export interface EvaluationRestored {
  evaluation: string;
  actor: string;
}

/** Everything that can happen to an evaluation, by the last words of its event type. */
export interface EvaluationEvents {
  'evaluation.triggered': EvaluationTriggered;
  'evaluation.finished': EvaluationFinished;
  'evaluation.invalidated': EvaluationInvalidated;
  'evaluation.restored': EvaluationRestored;
}

export type EvaluationEvent = {
  [Name in keyof EvaluationEvents]: { name: Name; at: string; data: EvaluationEvents[Name] };
}[keyof EvaluationEvents];

/** Somebody stopped everything new, or what is new in a project or a stage. */
export interface LineStopped {
  actor: string;
  method: MadeBy['method'];
  identity?: ProvidersWord;
  reason: string;
  /** Absent: all of them. */
  project?: string;
  stage?: string;
}

/** Everything that can happen to the line, by the last words of its event type. */
export interface LineEvents {
  'line.stopped': LineStopped;
  'line.released': LineStopped;
}

/** Everything that can happen to a sequence, by the last words of its event type. */
export interface SequenceEvents {
  'sequence.triggered': SequenceTriggered;
  'sequence.started': Record<never, never>;
  'task.triggered': TaskTriggered;
  'task.waiting': TaskWaiting;
  'task.finished': TaskFinished;
  'decision.made': DecisionMade;
  'sequence.finished': SequenceFinished;
}

export type SequenceEvent = {
  [Name in keyof SequenceEvents]: { name: Name; at: string; data: SequenceEvents[Name] };
}[keyof SequenceEvents];

/** `dev.lynceus.task.finished.v1` */
export function eventType(name: string): string {
  return `dev.lynceus.${name}.v1`;
}

const TYPE = /^dev\.lynceus\.(.+)\.v1$/;

/** The name inside one of our types; `undefined` for types that are not ours or not of this version. */
export function eventName(type: string): string | undefined {
  return TYPE.exec(type)?.[1];
}
