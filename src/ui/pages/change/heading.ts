import type { ChangeRow, State } from '../../../answers/change-row.ts';
import { capital } from '../../../answers/words.ts';
import { short } from '../../../engine/revisions.ts';
import type { Frame } from '../../frame.ts';
import { type Content, type Html, html, joined } from '../../html.ts';
import { person } from '../../parts/person.ts';
import { reference, shortCommit } from '../../parts/reference.ts';
import { stateShape } from '../../parts/state.ts';
import { ago, moment } from '../../parts/time.ts';
import { changesAddress } from '../changes-filter.ts';
import { oddsAndTime } from '../odds-and-time.ts';
import { unblockers } from '../unblockers.ts';
import { whereCells } from '../where.ts';
import type { ChangeScreen } from './screen.ts';

const STANDING: Readonly<Record<State, string>> = {
  idle: 'not begun',
  queued: 'queued',
  running: 'on its way',
  waiting: 'waiting',
  passed: 'arrived',
  warning: 'arrived with a warning',
  failed: 'stopped',
  skipped: 'skipped',
  superseded: 'replaced',
  unknown: 'silent',
};

/** `checkout 1.8.2: waiting in prod-eu`. */
export function headingOf({ row, change }: Pick<ChangeScreen, 'row' | 'change'>): string {
  if (row === undefined) return change === undefined ? 'Change' : `${change.service} ${short(change.revision)}`;
  const { service, version, commit, state, blocker } = row;
  const where = blocker.stage === undefined ? '' : ` in ${blocker.stage}`;
  return `${service} ${version ?? commit.text}: ${STANDING[state]}${where}`;
}

/** The five answers, as the list has them. */
export function standing({ row, change }: ChangeScreen, frame: Frame): Html {
  if (row === undefined) return html`<p class="lead">${change?.summary}</p>`;
  return html`<div class="standing"><div class="waits"><p class="lead blocker ${row.state}">${stateShape(row.state)}${row.blocker.sentence}</p>${unblockers(row, frame)}${earlierWarnings(row)}</div>
<div class="when">${oddsAndTime(row, frame)}</div>
<div class="where">${whereCells(row.cells)}</div></div>`;
}

/** Where people decide elsewhere; those who decide here find it beside their decision. */
function earlierWarnings({ blocker, warnedBefore }: ChangeRow): Html | undefined {
  return blocker.kind === 'review' && warnedBefore
    ? html`<p class="quiet">${capital(warnedBefore.text)}</p>`
    : undefined;
}

/** Whose it is, what it is made of, and where its relatives are. */
export function factsLine({ row, change }: ChangeScreen, frame: Frame): Html {
  const { project, service, id } = row ?? change ?? { project: '', service: '', id: '' };
  const own: Content[] = row === undefined ? [change && shortCommit(change.revision)] : ownFacts(row, frame);
  return html`<p class="quiet fact">${joined([
    ...own,
    html`<a href="${changesAddress({ project: [project] })}">${project}</a>`,
    html`<a href="${changesAddress({ project: [project], service: [service] })}">other changes of ${service}</a>`,
    html`change <code>${id}</code>`,
    change === undefined ? undefined : html`last moved ${moment(change.updatedAt)}`,
  ])}</p>`;
}

function ownFacts({ title, author, commit, pr, createdAt, kind }: ChangeRow, frame: Frame): Content[] {
  return [
    html`<b class="title">${title}</b>`,
    person(author),
    reference(commit, { copy: true }),
    pr && reference(pr),
    kind === 'code' ? undefined : html`<span class="kind">${kind}</span>`,
    html`begun ${ago(createdAt, frame.now)}`,
    author.name === 'unknown'
      ? undefined
      : html`<a href="${changesAddress({ author: [author.login ?? author.name], since: '1d' })}">same author, last 24 h</a>`,
  ];
}
