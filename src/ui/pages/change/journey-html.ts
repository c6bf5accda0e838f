import type { ChangeRow } from '../../../answers/change-row.ts';
import type { Frame } from '../../frame.ts';
import { type Html, html } from '../../html.ts';
import type { Section } from './journey.ts';
import { isOver, sectionLine } from './section-line.ts';
import { stageFacts } from './stage-facts.ts';
import { type JourneyOptions, stepHtml } from './step-html.ts';

export type { JourneyOptions } from './step-html.ts';

/**
 * The journey of a change, a line per stage: what is over is closed, what is under way, waits or failed stands open with the
 * evidence of each step in place; what is still to come stands grey at its end.
 */
export function journeyHtml(
  sections: readonly Section[],
  frame: Frame,
  options: JourneyOptions & { kind?: ChangeRow['kind'] },
): Html {
  return html`<section aria-labelledby="journey" class="journey"><h2 id="journey">Journey</h2>
${sections.length === 0 ? html`<p class="quiet">Nothing has been told of it yet.</p>` : undefined}
${isUnreported(sections, options) ? UNREPORTED : undefined}
${sections.map((section, at) => sectionHtml(section, frame, options, isOver(section, sections.slice(at + 1))))}</section>`;
}

const UNREPORTED = html`<p class="quiet fact">Build, image and manifest were not reported by a pipeline (<a href="/connections/pipelines">how to report</a>).</p>`;

/** What a pipeline builds has one to report it; what we take back, or mend, has none. */
function isUnreported([first]: readonly Section[], { kind }: { kind?: ChangeRow['kind'] }): boolean {
  return first?.stage !== undefined && kind !== 'rollback';
}

function sectionHtml(section: Section, frame: Frame, options: JourneyOptions, over: boolean): Html {
  const { stage, view, legs } = section;
  const id = view?.sequence ?? stage ?? 'before';
  const isFuture = view === undefined && legs.every(({ startedAt }) => startedAt === undefined);
  const line = sectionLine(section, frame, over);
  const look = `leg${isFuture ? ' future' : ''}`;
  if (view === undefined && legs.length === 0)
    return html`<div class="${look}" id="${id}"><div class="line">${line}</div></div>`;
  const isOpen = legs.some(({ key }) => key === options.step) || !(over || isFuture);
  return html`<details class="${look}" id="${id}"${isOpen ? html` open` : undefined}><summary class="line">${line}</summary>
${view === undefined ? undefined : stageFacts(view)}
<ol class="plain steps">${legs.map((leg) => stepHtml(leg, section, frame, options))}</ol></details>`;
}
