import type { Request } from 'express';
import { type ForecastFilter, MOST_DAYS } from '../runtime/forecast-view.ts';

const MAX_CHARS = 200;

/** What an address asks for; what makes no sense is left out, as every unknown key is. */
export function forecastFilter({ query }: Pick<Request, 'query'>): ForecastFilter {
  const text = (name: string) => {
    const [value] = [query[name]].flat();
    return typeof value === 'string' && value !== '' && value.length <= MAX_CHARS ? value : undefined;
  };
  const [project, service, team, to] = [text('project'), text('service'), text('team'), text('to')];
  const from = text('from') ?? text('stage');
  const days = Number(text('days'));
  return {
    ...(project === undefined ? {} : { project }),
    ...(service === undefined ? {} : { service }),
    ...(team === undefined ? {} : { team }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(Number.isInteger(days) && days >= 1 && days <= MOST_DAYS ? { days } : {}),
  };
}
