import { DORA_DEFINITIONS, sayFrequency } from '../../forecast/dora.ts';
import type { ForecastView } from '../../forecast/forecast-view.ts';
import { sayRounded, sayRuns } from '../../forecast/words.ts';
import { type Html, html } from '../html.ts';

/** DORA's four, each with what it counts. */
export function measures({ dora, about }: ForecastView): Html {
  const { deployments, failures, restored, frequency, leadTime, failureRate, restoreTime, stage } = dora;
  const tiles = [
    tile(
      'Deployment frequency',
      frequency === undefined ? undefined : sayFrequency(frequency),
      `${deployments} deployments`,
      DORA_DEFINITIONS.frequency,
    ),
    tile(
      'Lead time for changes',
      leadTime === undefined ? undefined : sayRounded(leadTime),
      `median of ${deployments}`,
      DORA_DEFINITIONS.leadTime,
    ),
    tile(
      'Change failure rate',
      failureRate === undefined ? undefined : `${Math.round(failureRate * 100)} %`,
      `${failures} of ${deployments}`,
      DORA_DEFINITIONS.failureRate,
    ),
    tile(
      'Time to restore',
      restoreTime === undefined ? undefined : sayRounded(restoreTime),
      `${restored} of ${sayRuns(failures)} restored`,
      DORA_DEFINITIONS.restoreTime,
    ),
  ];
  const where = stage === undefined ? 'the last stage of each service' : stage;
  return html`<section aria-labelledby="dora"><h2 id="dora">Delivery in the last ${about.days} days</h2>
<p class="quiet">DORA's four measures, in ${where}.</p>
<dl class="tiles">${tiles}</dl></section>`;
}

/** What cannot be told is not 0. */
function tile(name: string, value: string | undefined, counted: string, definition: string): Html {
  return html`<div><dt>${name}</dt><dd><b>${value ?? 'nothing to count'}</b>${value === undefined ? undefined : html` <span class="quiet">${counted}</span>`}<p class="quiet">${definition}</p></dd></div>`;
}
