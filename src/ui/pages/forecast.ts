import type { ForecastView } from '../../forecast/forecast-view.ts';
import { sayQuant, sayRounded, sayRuns } from '../../forecast/words.ts';
import type { Frame } from '../frame.ts';
import { type Html, html } from '../html.ts';
import { page } from '../layout.ts';
import { oddsBar, rangeBar } from '../parts/bars.ts';
import { choose } from '../parts/filters.ts';
import { emptyState, notice } from '../parts/notice.ts';
import { measures } from './forecast-measures.ts';

/** Fewer are hardly a history. */
const FEW_RUNS = 3;
const PERIODS = [7, 30, 90, 180];

/** How long changes take and how they end, and whether what was said of that came true. */
export function forecastPage(frame: Frame, view: ForecastView): string {
  const { service } = view.about;
  const title = service === undefined ? 'Forecast' : `Forecast: ${service}`;
  const body = html`<div class="head"><h1>${title}</h1></div>
${selectors(view)}
${view.forecast === null ? everyone(view) : ofService(view, view.forecast)}
${failing(view)}
${slowSpots(view)}
${judged(view)}
${measures(view)}`;
  return page(frame, title, body, {
    description: 'How long changes take, how likely they arrive, and how right that was',
  });
}

function selectors({ about, choices }: ForecastView): Html {
  const stages = choices.stages.map((value) => ({ value }));
  const periods = PERIODS.map((days) => ({ value: String(days), text: `last ${days} days` }));
  const services = choices.services.map(({ service, project }) => html`<option value="${service}">${project}</option>`);
  return html`<form method="get" action="/forecast" class="filters forecast-about">
<label class="choose"><span>Service</span> <input name="service" value="${about.service}" list="services" maxlength="200" autocomplete="off" spellcheck="false"></label><datalist id="services">${services}</datalist>
${about.service !== undefined && about.project !== undefined ? html`<input type="hidden" name="project" value="${about.project}">` : undefined}
${stages.length === 0 ? undefined : html`${choose('from', 'From', stages, about.from)} ${choose('to', 'To', stages, about.to)}`}
${choose(
  'team',
  'Team',
  choices.teams.map((value) => ({ value })),
  about.team,
)}
<label class="choose"><span>Measured over</span> <select name="days">${periods.map(({ value, text }) => html`<option value="${value}"${Number(value) === about.days ? html` selected` : undefined}>${text}</option>`)}</select></label>
<button>Show</button>
</form>`;
}

function everyone({ about, choices }: ForecastView): Html {
  if (choices.services.length === 0)
    return emptyState(
      'No history yet',
      html`<p>A forecast appears once the first change has gone through a stage. Every step is recorded from then on.</p>`,
    );
  const some = choices.services
    .slice(0, 20)
    .map(
      ({ project, service }) =>
        html`<li><a href="/forecast?service=${encodeURIComponent(service)}&amp;project=${encodeURIComponent(project)}">${service}</a></li>`,
    );
  const whose = about.team === undefined ? 'all services' : `team ${about.team}`;
  return html`<p>What follows is about ${whose}. Choose a service to see its times and odds.</p><ul class="chips" aria-label="Services that moved last">${some}</ul>`;
}

function ofService(view: ForecastView, { eta, odds }: NonNullable<ForecastView['forecast']>): Html {
  const { about, runs, publication, steps } = view;
  if (steps.length === 0 && runs.all === 0)
    return emptyState(
      'No history yet',
      html`<p>Nothing has been recorded of ${about.service ?? 'this service'}. A forecast appears once a change has gone through a stage.</p>`,
    );
  const way = `${about.from === undefined ? 'from the start' : `from entering ${about.from}`}${about.to === undefined ? '' : ` to the end of ${about.to}`}`;
  const longest = Math.max(1, ...steps.map(({ expected }) => expected.p90));
  return html`<section aria-labelledby="time"><h2 id="time">Time ${way}</h2>
${publication.shown ? undefined : notice('warning', `The forecast is hidden while it is wrong too often: ${publication.why}. What is shown instead is plain history.`)}
<p class="lead">${eta?.text ?? 'nothing is left to do'} <span class="quiet">${sayBase(runs)}</span></p>
${parts(eta)}
${steps.length === 0 ? undefined : stepsTable(steps, longest)}</section>
<section aria-labelledby="odds"><h2 id="odds">Arrives${about.to === undefined ? '' : ` in ${about.to}`} and stays</h2>
${odds === null ? html`<p>No history yet.</p>` : html`<p class="lead">${oddsBar(odds)} ${odds.text}</p>`}
<p class="quiet">Arrived: it passed there, and was not taken back within 24 hours. The range holds the true share with a probability of 80 %.</p></section>`;
}

function sayBase({ used, all }: ForecastView['runs']): string {
  if (all === 0) return 'no run of its own so far';
  return all < FEW_RUNS ? `${sayRuns(all)} so far` : `based on ${used} of ${sayRuns(all)}`;
}

function parts(eta: NonNullable<ForecastView['forecast']>['eta']): Html | undefined {
  const { machine, people, total } = eta ?? {};
  if (!total) return undefined;
  const longest = total.p90 * 1.05;
  const rows = [
    ['In all', total],
    ['Machines', machine],
    ['People', people],
  ] as const;
  return html`<dl class="times">${rows.map(([name, quant]) => (quant ? html`<div><dt>${name}</dt><dd>${rangeBar(quant, longest)} ${sayQuant(quant)}</dd></div>` : undefined))}</dl>`;
}

const WHOSE = { service: 'its own', team: "the team's", all: "everyone's" } as const;

function stepsTable(steps: ForecastView['steps'], longest: number): Html {
  const rows = steps.map(
    ({ stage, step, human, basis, expected }) => html`<tr>
<th scope="row">${stage}: ${step}${human ? html` <span class="quiet">(people)</span>` : undefined}</th>
<td data-label="Usually">${sayRounded(expected.p50)}</td>
<td data-label="8 of 10 take">${sayRounded(expected.p10)} to ${sayRounded(expected.p90)}</td>
<td class="bars">${rangeBar(expected, longest)}</td>
<td data-label="Known from">${sayRuns(expected.n)}, ${WHOSE[basis]}</td>
</tr>`,
  );
  return html`<table class="stack"><caption>How long each step takes. All bars have the same scale.</caption>
<thead><tr><th scope="col">Step</th><th scope="col">Usually</th><th scope="col">8 of 10 take</th><th scope="col">Range</th><th scope="col">Known from</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

function failing({ failsAt, runs }: ForecastView): Html | undefined {
  if (runs.all === 0) return undefined;
  const rows = failsAt.slice(0, 5).map(({ stage, step, failed, of, causes }) => {
    const why = causes.map(({ cause, count }) => `${cause} (${count})`).join(', ');
    return html`<li><b>${step} in ${stage}</b>: ${failed} of ${sayRuns(of)}${why === '' ? '' : `; ${why}`}</li>`;
  });
  return html`<section aria-labelledby="fails"><h2 id="fails">Fails mostly at</h2>
${rows.length === 0 ? html`<p>No step has failed.</p>` : html`<ul>${rows}</ul>`}</section>`;
}

function slowSpots({ slow, runs }: ForecastView): Html | undefined {
  if (runs.all === 0) return undefined;
  return html`<section aria-labelledby="slow"><h2 id="slow">Slow spots</h2>
${slow.length === 0 ? html`<p>No step takes most of the time, and none has become slower.</p>` : html`<ul>${slow.map((one) => html`<li>${one}</li>`)}</ul>`}</section>`;
}

function judged({ calibration, publication }: ForecastView): Html {
  const { count, covered, late, brier } = calibration;
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return html`<section aria-labelledby="right"><h2 id="right">Were we right?</h2>
${count === 0 ? html`<p>No forecast has come true yet. Each one that a change enters a stage with is kept and compared.</p>` : html`<p>Of the last ${count} forecasts <b>${percent(covered)}</b> landed in the range that was to hold 80 %; ${percent(late)} took longer than its end.</p>`}
${brier === undefined ? undefined : html`<p>Odds: Brier score ${brier.score.toFixed(3)} over ${sayRuns(brier.count)} (0 is perfect, 0.25 is a coin).</p>`}
<p class="quiet">Shown while 65 to 95 % of the last 100 land in their range: ${publication.why}. A forecast never decides anything.</p></section>`;
}
