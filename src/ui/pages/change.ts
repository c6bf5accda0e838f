import type { Frame } from '../frame.ts';
import { type Html, html } from '../html.ts';
import { page } from '../layout.ts';
import { notice } from '../parts/notice.ts';
import { sayStop } from '../parts/stops.ts';
import { stageActions } from './change/actions.ts';
import { decisionCard } from './change/decision.ts';
import { factsLine, headingOf, standing } from './change/heading.ts';
import { journeyOf } from './change/journey.ts';
import { journeyHtml } from './change/journey-html.ts';
import type { ChangeScreen, Refused } from './change/screen.ts';
import { changeAddress } from './change-address.ts';

/** One change: where it is and why, its way with the evidence and the forecast in place, and the decision. */
export function changePage(frame: Frame, screen: ChangeScreen): string {
  const { change, row, refused, newer, stops = [] } = screen;
  const title = headingOf(screen);
  const sections = journeyOf({ stages: row?.cells.map(({ stage }) => stage) ?? [], ...screen });
  const told = {
    ...(change === undefined ? {} : { change }),
    ...(row === undefined ? {} : { kind: row.kind }),
    ...(screen.step === undefined ? {} : { step: screen.step }),
  };
  const body = html`<div id="change" data-id="${row?.id ?? change?.id}" data-rev="${row?.rev}"><h1>${refused?.moved ? 'This changed while you read' : title}</h1>
${refused === undefined ? undefined : refusal(screen, refused, frame)}
${newer === undefined ? undefined : notice('superseded', html`A later change took its place: <a href="${changeAddress(newer.id)}">${newer.text}</a>`)}
${stops.map((stop) => notice('failed', sayStop(stop, frame.now)))}
${standing(screen, frame)}
${factsLine(screen, frame)}
<div class="two">${aside(frame, screen)}
${journeyHtml(sections, frame, told)}</div></div>`;
  return page(frame, title, body, { description: row?.blocker.sentence ?? change?.summary ?? title });
}

/** What can be done now. In the page it comes before the journey: on a narrow screen it is what people came for. */
function aside(frame: Frame, { change, row, refused }: ChangeScreen): Html | undefined {
  if (change === undefined) return undefined;
  const options = {
    ...(row === undefined ? {} : { rev: row.rev }),
    ...(row?.warnedBefore === undefined ? {} : { warnedBefore: row.warnedBefore.text }),
    ...(refused === undefined ? {} : { typed: refused }),
  };
  const waiting = change.stages.filter(({ decide }) => decide !== undefined);
  const cards = waiting.map((stage) => decisionCard(frame, change, stage, { ...options, several: waiting.length > 1 }));
  const actions = change.stages
    .map((stage) => stageActions(frame, change, stage, options))
    .filter((one) => one !== undefined);
  if (cards.length + actions.length === 0) return undefined;
  const none = html`<p class="quiet">Nothing waits for a decision here.</p>`;
  return html`<aside aria-label="Decisions" id="decision">${cards.length === 0 ? none : cards}${actions.reverse()}</aside>`;
}

function refusal({ row, change }: ChangeScreen, { detail, moved, reason, verdict }: Refused, frame: Frame): Html {
  const typed = reason === '' ? undefined : html`<p>You wrote: ${reason}</p>`;
  if (!moved) return html`${notice('failed', html`Nothing was decided: ${detail}.`)}${typed}`;
  const now = row?.blocker.sentence ?? change?.summary;
  return html`${notice('failed', html`Nothing was decided: ${detail}. Look at it as it is now, and decide again: what you typed is kept.`)}
<dl class="moved"><div><dt>You saw</dt><dd>${moved.seen ?? 'an earlier state'}${moved.rev === undefined ? undefined : ` (revision ${moved.rev})`}</dd></div>
<div><dt>It is now</dt><dd>${now}${row === undefined ? undefined : ` (revision ${row.rev})`}, ${frame.now.slice(11, 16)} UTC</dd></div>
<div><dt>You wanted to</dt><dd>${verdict ?? 'decide'}: ${reason}</dd></div></dl>`;
}
