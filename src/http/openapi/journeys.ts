import { idempotencyKey, inPath, invalidation, json, ref, text, time } from './parts.ts';

/** The part of the API's document about how people decide on a change. */
export const decisionPaths = (problem: object) => ({
  '/api/v1/changes/{id}/decisions': {
    post: {
      operationId: 'decide',
      summary: 'Approve, reject, pause, resume or abort; bound to the commit that was looked at',
      parameters: [inPath('id', 'context id of the change'), idempotencyKey('the same key is the same decision')],
      requestBody: { required: true, content: { 'application/json': { schema: ref('Decision') } } },
      responses: { 201: json(ref('Change'), 'Recorded; the change as it is now'), default: problem },
    },
  },
});

/** What a change is: its journey through the stages, with the tasks of each. */
export const journeySchemas = {
  Decision: {
    type: 'object',
    required: ['verdict', 'reason', 'revision'],
    additionalProperties: false,
    properties: {
      verdict: { enum: ['approve', 'reject', 'pause', 'resume', 'abort', 'override', 'rollback', 'retry', 'sync'] },
      reason: { type: 'string', minLength: 1, maxLength: 2000 },
      revision: { type: 'string', description: 'the commit that was looked at' },
      evidence: { type: 'string', description: 'hash of the evidence that was looked at; refused when it changed' },
      stage: { type: 'string', description: 'where several stages are under way' },
      rev: {
        type: 'integer',
        description: 'revision of the change that was looked at (`row.rev`); refused (409 `changed`) when it has moved',
      },
      by: {
        enum: ['sync', 'pullRequest'],
        description: 'how to roll back, instead of what the stage says; required where it says nothing',
      },
    },
  },
  Change: {
    type: 'object',
    required: ['id', 'project', 'service', 'revision', 'summary', 'updatedAt', 'stages'],
    properties: {
      id: text,
      project: text,
      service: text,
      revision: text,
      summary: text,
      updatedAt: time,
      stages: { type: 'array', items: ref('Stage') },
    },
  },
  Stage: {
    type: 'object',
    required: ['stage', 'sequence', 'revision', 'status', 'triggeredAt', 'tasks'],
    properties: {
      stage: text,
      sequence: text,
      revision: text,
      revisions: {
        type: 'array',
        items: text,
        description: 'by source of the application, where there are several',
      },
      drySha: { ...text, description: 'what people wrote, where the revision was hydrated from it' },
      status: { enum: ['triggered', 'running', 'waiting', 'finished'] },
      result: { enum: ['pass', 'warning', 'fail'] },
      reason: { enum: ['completed', 'failed', 'superseded', 'aborted', 'timed-out', 'rejected'] },
      message: text,
      by: text,
      score: { type: 'number', minimum: 0, maximum: 100 },
      triggeredAt: time,
      finishedAt: time,
      paused: {
        type: 'object',
        required: ['actor', 'reason'],
        properties: { actor: text, reason: text },
      },
      override: {
        type: 'object',
        description: 'somebody let the commit through, whatever checks and approval say',
        required: ['actor', 'reason', 'at'],
        properties: { actor: text, reason: text, at: time },
      },
      reviews: {
        description: 'present while promotions wait for people at a Git host',
        type: 'array',
        items: {
          type: 'object',
          required: ['number', 'url', 'to', 'head'],
          properties: {
            number: { type: 'integer' },
            url: text,
            to: text,
            head: text,
            repository: text,
            host: text,
          },
        },
      },
      promotions: {
        description: 'by stage that it goes to; absent: it has not come so far',
        type: 'array',
        items: ref('Promotion'),
      },
      canBeSynced: { description: 'present: the decision sync is possible', const: true },
      canBeTakenUp: { description: 'present: the decision retry is possible', const: true },
      pullRequest: {
        type: 'object',
        required: ['number', 'url', 'to'],
        properties: { number: { type: 'integer' }, url: text, to: text },
      },
      rollback: {
        type: 'object',
        description: 'how the stage goes, or went, back to its last good commit after this change failed there',
        required: ['state'],
        properties: {
          to: text,
          by: { enum: ['sync', 'pullRequest'] },
          state: { enum: ['under way', 'done', 'failed', 'not done'] },
          message: text,
        },
      },
      rollsBack: {
        type: 'object',
        description: 'present: no change of its own, but the revert that the rollback of another one merged',
        required: ['sequence', 'revision', 'to', 'pullRequest'],
        properties: { sequence: text, revision: text, to: text, pullRequest: { type: 'integer' } },
      },
      asked: {
        type: 'object',
        description: 'present: a person asked for it once the change was over; `sequence` is its delivery',
        required: ['what', 'sequence', 'actor', 'reason'],
        properties: { what: { enum: ['rollback', 'override'] }, sequence: text, actor: text, reason: text },
      },
      rollBack: {
        type: 'object',
        description: 'where one change is read: present when a person can have it rolled back now',
        required: ['revision', 'evidence', 'groups', 'ways'],
        properties: {
          revision: text,
          evidence: text,
          groups: { type: 'array', items: text },
          ways: {
            type: 'array',
            items: { enum: ['sync', 'pullRequest'] },
            description: 'one of them has to be named; empty: the stage says how',
          },
        },
      },
      decide: {
        type: 'object',
        description: 'present while a person can decide; revision and evidence go back with the decision',
        required: ['task', 'what', 'quorum', 'groups', 'revision', 'evidence'],
        properties: {
          task: text,
          what: { enum: ['approval', 'promotion', 'rollback'] },
          quorum: { type: 'integer', minimum: 1 },
          groups: { type: 'array', items: text },
          revision: text,
          evidence: text,
        },
      },
      tasks: { type: 'array', items: ref('Task') },
    },
  },
  Promotion: {
    type: 'object',
    required: ['to', 'state'],
    properties: {
      to: text,
      state: { enum: ['waiting', 'open', 'promoted', 'not promoted'] },
      pullRequest: { type: 'integer' },
      url: text,
      message: text,
      diff: {
        type: 'object',
        description:
          'what changes in which file, as it was when the pull request was opened; nothing that looks secret',
        required: ['files', 'totalFiles'],
        properties: {
          totalFiles: { type: 'integer', minimum: 0 },
          files: {
            type: 'array',
            items: {
              type: 'object',
              required: ['path', 'additions', 'deletions'],
              properties: {
                path: text,
                additions: { type: 'integer' },
                deletions: { type: 'integer' },
                lines: { type: 'array', items: text, description: '"+ new" and "- old"; absent: not shown' },
                more: { type: 'integer', description: 'so many changed lines more' },
              },
            },
          },
        },
      },
      edits: {
        type: 'object',
        description: 'the same, where the promotion edits files itself',
        required: ['edits', 'total'],
        properties: {
          total: { type: 'integer' },
          edits: {
            type: 'array',
            items: { type: 'object', required: ['path', 'what'], properties: { path: text, what: text } },
          },
        },
      },
      drift: {
        type: 'object',
        description: 'what others brought to the branch since the last promotion',
        required: ['commits', 'total'],
        properties: {
          total: { type: 'integer', minimum: 1 },
          commits: {
            type: 'array',
            items: {
              type: 'object',
              required: ['sha', 'subject', 'author'],
              properties: { sha: text, subject: text, author: text },
            },
          },
        },
      },
    },
  },
  Task: {
    type: 'object',
    required: ['task', 'name', 'triggeredAt', 'decisions', 'data'],
    properties: {
      task: text,
      name: text,
      triggeredAt: time,
      finishedAt: time,
      status: { enum: ['succeeded', 'errored', 'aborted'] },
      result: { enum: ['pass', 'warning', 'fail'] },
      message: text,
      waitingFor: {
        type: 'object',
        required: ['kind', 'sentence', 'since'],
        properties: { kind: text, sentence: text, since: time, until: time },
      },
      progress: {
        type: 'object',
        required: ['fraction', 'sentence'],
        properties: { fraction: { type: 'number', minimum: 0, maximum: 1 }, sentence: text },
      },
      decisions: {
        type: 'array',
        items: {
          type: 'object',
          required: ['actor', 'verdict', 'reason', 'at'],
          properties: { actor: text, verdict: text, reason: text, at: time },
        },
      },
      invalidated: invalidation,
      data: {
        type: 'object',
        description: 'what the task found: figures, answers, evaluation',
        additionalProperties: true,
      },
    },
  },
} as const;
