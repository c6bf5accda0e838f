import type { JsonObject } from '../../src/base/json.ts';
import type { DecisionMade, SequenceEvent, SequenceFinished, TaskName } from '../../src/events/types.ts';
import type { Evaluation, IndicatorResult } from '../../src/slo/evaluation.ts';
import { story, YEARS } from './http-world.ts';
import { decision, planned, step, taskFinished, taskTriggered } from './sequence.ts';

/** Changes in every state that people look at, for the pages; all texts from outside can be replaced. */
export interface Words {
  message: string;
  reason: string;
  url: string;
  actor: string;
}

export const PLAIN: Words = {
  message: 'all requests were answered in time',
  reason: 'tested by hand, looks good',
  url: 'https://git.example.com/shop/pulls/42',
  actor: 'ada',
};

/** A task that is done, in one go. */
function done(
  position: number,
  name: TaskName,
  message: string,
  data: object = {},
  result: 'pass' | 'warning' | 'fail' = 'pass',
) {
  const finished = taskFinished(name, result, { message, data, position });
  return [taskTriggered(position, name, YEARS), { ...finished, at: laterBy(position) }];
}

function laterBy(position: number): string {
  return new Date(Date.UTC(2026, 2, 2, 10, position * 3, 7)).toISOString();
}

function finish(position: number, data: Partial<SequenceFinished> & { message: string }): SequenceEvent {
  return {
    name: 'sequence.finished',
    at: laterBy(position),
    data: { status: 'succeeded', result: 'pass', reason: 'completed', ...data },
  };
}

function indicator(sli: string, changes: Partial<IndicatorResult>): IndicatorResult {
  return {
    sli,
    displayName: sli,
    keySli: false,
    weight: 1,
    status: 'pass',
    score: 1,
    passTargets: [],
    warningTargets: [],
    ...changes,
  };
}

function evaluation(good: boolean, words: Words): { evaluation: Evaluation } {
  return {
    evaluation: {
      result: good ? 'pass' : 'fail',
      score: good ? 100 : 33.333,
      thresholds: { pass: 90, warning: 75 },
      compared: ['earlier'],
      message: words.message,
      indicators: [
        indicator('error_rate', {
          displayName: 'Errors per request',
          keySli: true,
          weight: 2,
          value: good ? 0.0004 : 0.0312,
          comparedValue: 0.0005,
          status: good ? 'pass' : 'fail',
          score: good ? 2 : 0,
          passTargets: [{ criteria: '<=0.01', targetValue: 0.01, violated: !good }],
        }),
        indicator('response_time_p95', {
          displayName: 'Response time (95 %)',
          value: 183.25391,
          comparedValue: 179.1,
          passTargets: [
            { criteria: '<=+10%', targetValue: 197.01, violated: false },
            { criteria: '<600', targetValue: 600, violated: false },
          ],
        }),
        indicator('throughput', { message: words.message, status: 'info', score: 0, weight: 0 }),
      ],
    },
  };
}

const CHECKS = (words: Words): JsonObject => ({
  answers: [
    {
      check: 'error-budget',
      answer: 'pass',
      reasons: ['82 % of the error budget is left, at least 20 % are needed'],
      figures: {},
    },
    {
      check: 'risk',
      answer: 'needs-approval',
      reasons: ['risk 41 is above 25', '14 files changed, 3 of them configuration', words.reason],
      figures: {},
    },
    { check: 'window', answer: 'pass', reasons: [], figures: {} },
  ],
});

const decided = (verdict: DecisionMade['verdict'], task: string, words: Words): SequenceEvent => ({
  ...decision(verdict, { task, reason: words.reason, actor: words.actor }),
  at: laterBy(2),
});

/** Came from dev, was checked, and waits for somebody of two groups. */
export function waitingForApproval(id: string, words: Words = PLAIN): SequenceEvent[][] {
  const context = `ctx-${id}`;
  const dev = story(
    `${id}-dev`,
    [
      ...planned(step('sync', { mode: 'automatic' }), step('rollout'), step('evaluation' as 'soak'), step('promotion')),
      ...done(1, 'sync', '8a3d1f0c was synced by Argo CD'),
      ...done(2, 'rollout', '8a3d1f0c is deployed and healthy'),
      ...done(3, 'evaluation', `score 100 of 100: ${words.message}`, evaluation(true, words)),
      ...done(4, 'promotion', 'pull request 42 was merged', { pullRequest: 42, url: words.url }),
      finish(5, { message: words.message }),
    ],
    { context, place: { project: 'shop', stage: 'dev', service: id }, at: laterBy(0) },
  );
  const staging = story(
    id,
    [
      ...planned(
        step('checks'),
        step('approval', { always: true, quorum: 2, groups: ['payments', 'release managers'] }),
        step('sync'),
      ),
      ...done(1, 'checks', 'a person must agree: risk 41 is above 25', CHECKS(words), 'warning'),
      taskTriggered(2, 'approval', YEARS),
      decided('approve', 'seq.2-approval', words),
      {
        name: 'task.waiting',
        at: laterBy(2),
        data: {
          task: 'seq.2-approval',
          memo: {},
          blocker: {
            kind: 'approval',
            sentence: '1 of 2 approvals; needs payments or release managers',
            until: '2026-03-09T10:00:00.000Z',
          },
        },
      },
    ],
    { context, place: { project: 'shop', stage: 'staging', service: id }, at: laterBy(6) },
  );
  return [dev, staging];
}

export function failedGate(id: string, words: Words = PLAIN): SequenceEvent[][] {
  const message = `score 33.3 of 100, 90 are needed: Errors per request is 0.0312, <=0.01 is needed. ${words.message}`;
  return [
    story(
      id,
      [
        ...planned(step('sync'), step('rollout'), step('evaluation' as 'soak')),
        ...done(1, 'sync', '8a3d1f0c was synced'),
        ...done(2, 'rollout', '8a3d1f0c is deployed and healthy'),
        ...done(3, 'evaluation', message, evaluation(false, words), 'fail'),
        finish(4, { result: 'fail', reason: 'failed', message }),
      ],
      { place: { project: 'shop', stage: 'dev', service: id }, at: laterBy(3) },
    ),
  ];
}

export function promoted(id: string, words: Words = PLAIN): SequenceEvent[][] {
  const context = `ctx-${id}`;
  return ['dev', 'staging', 'production'].map((stage, at) =>
    story(
      at === 0 ? id : `${id}-${stage}`,
      [
        ...planned(step('sync'), step('rollout'), step('evaluation' as 'soak'), step('promotion')),
        ...done(1, 'sync', '8a3d1f0c was synced'),
        ...done(2, 'rollout', '8a3d1f0c is deployed and healthy'),
        ...done(3, 'evaluation', `score 100 of 100: ${words.message}`, evaluation(true, words)),
        ...done(4, 'promotion', 'pull request 42 was merged', { pullRequest: 42, url: words.url }),
        finish(5, { message: words.message }),
      ],
      { context, place: { project: 'shop', stage, service: id }, at: laterBy(at * 5) },
    ),
  );
}

/** A pull request that waits for a decision here. */
export function reviewing(id: string, words: Words = PLAIN): SequenceEvent[][] {
  return [
    story(
      id,
      [
        ...planned(step('promotion')),
        taskTriggered(1, 'promotion', YEARS),
        {
          name: 'task.waiting',
          at: laterBy(1),
          data: {
            task: 'seq.1-promotion',
            blocker: { kind: 'review', sentence: `pull request 42 waits for a decision: ${words.message}` },
            memo: { pullRequest: 42, url: words.url, reviews: 'lynceus' },
          },
        },
      ],
      { place: { project: 'shop', stage: 'staging', service: id }, at: laterBy(1) },
    ),
  ];
}

export function rollingOut(id: string, words: Words = PLAIN): SequenceEvent[][] {
  return [
    story(
      id,
      [
        ...planned(step('sync'), step('rollout')),
        ...done(1, 'sync', '8a3d1f0c was synced'),
        taskTriggered(2, 'rollout', YEARS),
        {
          name: 'task.waiting',
          at: laterBy(2),
          data: {
            task: 'seq.2-rollout',
            memo: {},
            blocker: { kind: 'health', sentence: `Progressing: ${words.message}` },
          },
        },
      ],
      { place: { project: 'shop', stage: 'production', service: id }, at: laterBy(4) },
    ),
  ];
}

export function superseded(id: string): SequenceEvent[][] {
  return [
    story(
      id,
      [
        ...planned(step('approval')),
        finish(1, {
          status: 'aborted',
          result: 'fail',
          reason: 'superseded',
          message: 'a newer change took its place',
        }),
      ],
      {
        place: { project: 'shop', stage: 'staging', service: id },
        at: laterBy(0),
      },
    ),
  ];
}
