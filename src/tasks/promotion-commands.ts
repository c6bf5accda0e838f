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

/** Of one pull request; whoever writes more than that wants to keep us busy. */
const MAX_COMMANDS = 100;
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
  const before = remembered(scene, 'commands');
  const done = Array.isArray(before['done']) ? before['done'].map(String) : [];
  if (!tellsOfPeople(host) || done.length >= MAX_COMMANDS) return { changed: false, memo: {} };
  const comments = (await host.readComments?.(repository, number, input)) ?? [];
  const asked = comments.flatMap((comment): Asked[] => {
    const command = done.includes(comment.id) ? undefined : commandIn(comment);
    return command === undefined ? [] : [{ comment, command }];
  });
  if (asked.length === 0) return { changed: false, memo: {} };
  const { id: us } = await host.whoAmI(input);
  let changed = asked.length > MAX_AT_ONCE;
  for (const { comment, command } of asked.slice(0, MAX_AT_ONCE)) {
    done.push(comment.id);
    if (comment.by.id === us) continue;
    const answer = await obey(scene, host, pullRequest, us, comment, command);
    changed ||= answer.done;
    await say(scene, number, comment, answer.text);
  }
  return { changed, memo: { commands: { done } } };
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
