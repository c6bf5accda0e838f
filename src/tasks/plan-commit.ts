import type { CommitInfo } from '../adapters/git-hosts/git-host.ts';
import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import { mailId } from '../base/mail.ts';
import { inGit } from '../engine/in-git.ts';
import type { TaskInput, TaskTools } from './task.ts';

const MAX_SUBJECT = 200;
const MAX_NAME = 100;
/** A name with its address. */
const MAX_PERSON = 400;

/**
 * Who made the change and what they call it, for people: by the Git host, which knows accounts, else by the delivery
 * system. Asked once, where the change begins; that nobody tells is no failure.
 */
export async function readCommit(input: TaskInput, tools: TaskTools): Promise<JsonObject | undefined> {
  // A later stage gets it from the first one; a revert of ours says by itself what it is.
  if (input.triggered.promotedBy || input.triggered.rollsBack) return undefined;
  for (const read of [fromGit, fromSystem, fromMessage]) {
    const commit = await quietly(() => read(input, tools));
    if (commit !== undefined) return commit;
  }
  return undefined;
}

async function quietly(read: () => Promise<JsonObject | undefined>): Promise<JsonObject | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof AdapterError) return undefined;
    throw error;
  }
}

async function fromGit({ triggered, signal }: TaskInput, tools: TaskTools): Promise<JsonObject | undefined> {
  const { repository, revision, previousRevision } = inGit(triggered);
  if (triggered.source.kind !== undefined || previousRevision === undefined || !isCommit(revision)) return undefined;
  const host = tools.gitHost(repository);
  if (!host || !isCommit(previousRevision)) return undefined;
  const { commits } = await host.compare(repository, previousRevision, revision, { signal });
  // Who merged it is not who wrote it.
  const made = commits.find(({ subject }) => !subject.startsWith('Merge ')) ?? commits[0];
  return made && commitOf(made);
}

/** Without an author, where nothing is known of before: Flux tells of neither. */
async function fromMessage({ triggered, signal }: TaskInput, tools: TaskTools): Promise<JsonObject | undefined> {
  const { repository, revision } = inGit(triggered);
  if (triggered.source.kind !== undefined || !isCommit(revision)) return undefined;
  const message = await tools.gitHost(repository)?.commitMessage(repository, revision, { signal });
  return message === undefined ? undefined : words('', message, '');
}

function commitOf({ author, email, subject, date, by }: CommitInfo): JsonObject {
  return words(author, subject, date, { email, login: by?.login });
}

async function fromSystem({ triggered, signal }: TaskInput, tools: TaskTools): Promise<JsonObject | undefined> {
  if (triggered.source.kind !== undefined) return undefined;
  const { application, revision } = triggered;
  const told = await tools.deliverySystem(application.system)?.revisionMetadata(application, revision, { signal });
  return told && words(told.author, told.message, told.date);
}

/** Addresses of people stay where they are: what recognises them does not tell them. */
function words(
  author: string,
  message: string,
  date: string,
  { email, login }: { email?: string | undefined; login?: string | undefined } = {},
): JsonObject {
  // Delivery systems write both as Git does.
  const [, name = author, address = ''] = /^(.*?) *<([^<>]*)>? *$/s.exec(author.slice(0, MAX_PERSON)) ?? [];
  const mail = mailId(email ?? address);
  const subject = message.split('\n', 1)[0] ?? '';
  return {
    author: name.slice(0, MAX_NAME),
    subject: subject.trim().slice(0, MAX_SUBJECT),
    ...(Number.isNaN(Date.parse(date)) ? {} : { date }),
    ...(login === undefined || login === '' ? {} : { login: login.slice(0, MAX_NAME) }),
    ...(mail === undefined ? {} : { mail }),
  };
}

function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(revision);
}
