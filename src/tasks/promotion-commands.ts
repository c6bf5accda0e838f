import type { PullRequest } from '../adapters/git-hosts/git-host.ts';
import { sha256 } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { DEFAULT_REVIEWS } from '../definitions/delivery-promotion-approval.ts';
import type { DecisionMade } from '../events/types.ts';
import { whyMayNotApprove, whyMayNotSteer } from '../promotion/approval.ts';
import { type Command, type CommandName, commandIn } from '../promotion/commands.ts';
import { inline } from '../promotion/markdown.ts';
import type { Comment, HostUser } from '../promotion/people.ts';
import { reviewPolicyOf } from './promotion-approval.ts';
import { recordDecision } from './promotion-decision.ts';
import { type HostWithPeople, readAuthors, remembered, standingOf, tellsOfPeople } from './promotion-people.ts';
import type { PromotionScene } from './promotion-scene.ts';

/** Remembered one by one; of more, only up to when all were done. */
const MAX_REMEMBERED = 50;
/** Whoever may do nothing and is told so that often wants to keep us busy: nothing more is answered. */
const MAX_REFUSALS = 20;
/** At one look; the others come at the next. */
const MAX_AT_ONCE = 5;
/** Who can let something through that policy holds back must be one who can approve. */
const OF_APPROVERS: ReadonlySet<CommandName> = new Set(['promote', 'override']);

const VERDICTS = {
  hold: 'pause',
  resume: 'resume',
  promote: 'promote',
  override: 'override',
} as const satisfies Partial<Record<CommandName, DecisionMade['verdict']>>;

interface Asked {
  comment: Comment;
  command: Command;
}

export interface Obeyed {
  /** Something was decided: what is known of the sequence is old by now. */
  changed: boolean;
  /** For the memo of the target. */
  memo: JsonObject;
}

/**
 * Does what people ask for in comments on an open pull request: each comment once, as its writer, who must have the
 * right to it at this very moment. Every command is answered, also one that is refused.
 */
export async function obeyComments(scene: PromotionScene, pullRequest: PullRequest): Promise<Obeyed> {
  const { input, host, repository } = scene;
  const { number } = pullRequest;
  if (!tellsOfPeople(host)) return { changed: false, memo: {} };
  const before = doneIn(remembered(scene, 'commands'));
  const comments = (await host.readComments?.(repository, number, input)) ?? [];
  const asked = comments.flatMap((comment): Asked[] => {
    const command = isDone(before, comment) ? undefined : commandIn(comment);
    return command === undefined ? [] : [{ comment, command }];
  });
  if (asked.length === 0) return { changed: false, memo: {} };
  const { id: us } = await host.whoAmI(input);
  const now = asked.slice(0, MAX_AT_ONCE);
  let changed = asked.length > MAX_AT_ONCE;
  let { refused } = before;
  for (const { comment, command } of now) {
    if (comment.by.id === us) continue;
    const answer = await obey(scene, host, pullRequest, us, comment, command);
    changed ||= answer.done;
    if (!answer.done) refused += 1;
    if (answer.done || refused <= MAX_REFUSALS) await say(scene, number, comment, answer.text);
  }
  const ids = [...before.done, ...now.map(({ comment }) => comment.id)];
  const done = withoutOld({ ...before, done: ids, refused: Math.min(refused, MAX_REFUSALS + 1) }, comments);
  return { changed, memo: { commands: { ...done } } };
}

/** What was done of the comments on one pull request. */
interface Done {
  /** Ids. */
  done: string[];
  /** All until then, ISO 8601. */
  until: string;
  refused: number;
}

function doneIn({ done, until, refused }: JsonObject): Done {
  const ids = Array.isArray(done) ? done.map(String) : [];
  return { done: ids, until: typeof until === 'string' ? until : '', refused: Number(refused ?? 0) };
}

function isDone({ done, until }: Done, { id, at }: Comment): boolean {
  return Date.parse(at) < Date.parse(until) || done.includes(id);
}

/** They are done in the order in which they were written: what is older than the last one is over. */
function withoutOld(found: Done, comments: readonly Comment[]): Done {
  if (found.done.length <= MAX_REMEMBERED) return found;
  const last = comments.findLast(({ id }) => found.done.includes(id));
  if (last === undefined) return found;
  const sameMoment = comments.filter(({ id, at }) => Date.parse(at) >= Date.parse(last.at) && found.done.includes(id));
  return { ...found, until: last.at, done: sameMoment.map(({ id }) => id) };
}

interface Answer {
  done: boolean;
  text: string;
}

async function obey(
  scene: PromotionScene,
  host: HostWithPeople,
  pullRequest: PullRequest,
  us: string,
  { id, by, at }: Comment,
  command: Command,
): Promise<Answer> {
  if (!command.ok) return { done: false, text: `Nothing was done: ${command.message}.` };
  const { name, reason } = command;
  const why = await whyNot(scene, host, pullRequest, us, by, name);
  if (why !== undefined) {
    return { done: false, text: `Nothing was done: ${inline(by.login, 100)} ${inline(why, 300)}.` };
  }
  if (name === 'retry') return { done: true, text: DONE.retry };
  const verdict = VERDICTS[name];
  const said = reason === '' ? `/lynceus ${name} on pull request ${pullRequest.number}` : reason;
  await recordDecision(scene, pullRequest.number, { by, verdict, reason: said, at, comment: id });
  return { done: true, text: DONE[name] };
}

async function whyNot(
  scene: PromotionScene,
  host: HostWithPeople,
  pullRequest: PullRequest,
  us: string,
  by: HostUser,
  name: CommandName,
): Promise<string | undefined> {
  const policy = reviewPolicyOf(scene) ?? DEFAULT_REVIEWS;
  const standing = await standingOf(scene, host, policy, by);
  if (!OF_APPROVERS.has(name)) return whyMayNotSteer(policy, us, by, standing);
  const { authors } = await readAuthors(scene);
  return whyMayNotApprove(policy, { authors, pullRequest, us }, by, standing);
}

const DONE: Readonly<Record<CommandName, string>> = {
  hold: 'Held: it is not merged until somebody writes `/lynceus resume`.',
  resume: 'Goes on.',
  retry: 'Looked at once more.',
  promote: 'Is merged as soon as it is approved and nothing else holds it back.',
  override: 'Is merged as soon as it is approved, whatever windows, a stopped line or a later evaluation say.',
};

/** The same comment is never answered twice, also when we died right after answering it. */
async function say({ input, host, repository }: PromotionScene, number: number, { id }: Comment, text: string) {
  const marker = `<!-- lynceus:answer ${sha256(id).slice(0, 16)} -->`;
  await input.effect('answer', async () =>
    host.putComment?.(repository, number, { marker, body: `${marker}\n${text}` }, input),
  );
}
