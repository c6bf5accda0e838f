import type { JsonObject } from '../../../base/json.ts';
import { badReport, figuresOf, numberAt, objectAt, type Report } from './report.ts';

/**
 * What `autocannon --json` prints (https://github.com/mcollina/autocannon#autocannonopts-cb); times are
 * in milliseconds. There is no 95th percentile in it: `latency.p97_5` is the next one.
 *
 * @throws {AdapterError} `bad-response`
 */
export function parseAutocannon(document: JsonObject): Report {
  const [latency, requests] = [objectAt(document, 'latency'), objectAt(document, 'requests')];
  const [answered, errors, non2xx] = [
    numberAt(requests, 'total'),
    numberAt(document, 'errors'),
    numberAt(document, 'non2xx'),
  ];
  if (answered === undefined || errors === undefined || non2xx === undefined) {
    throw badReport('autocannon', 'does not say how many requests were sent and failed');
  }
  // `errors` are requests without an answer, timeouts among them.
  const sent = answered + errors;
  if (sent === 0) throw badReport('autocannon', 'has no request in it: nothing was tested');
  const duration = numberAt(document, 'duration') ?? 0;
  return {
    figures: {
      ...prefixed('requests', requests),
      ...(answered > 0 ? { ...prefixed('latency', latency), ...responseTimes(latency) } : {}),
      ...figuresOf({
        requests: sent,
        failures: errors + non2xx,
        error_rate: (errors + non2xx) / sent,
        throughput: duration > 0 ? answered / duration : undefined,
        timeouts: numberAt(document, 'timeouts'),
      }),
    },
    artifacts: [],
  };
}

function responseTimes(latency: JsonObject): Record<string, number> {
  return figuresOf({
    response_time_avg: numberAt(latency, 'average'),
    response_time_min: numberAt(latency, 'min'),
    response_time_max: numberAt(latency, 'max'),
    response_time_p50: numberAt(latency, 'p50'),
    response_time_p90: numberAt(latency, 'p90'),
    response_time_p99: numberAt(latency, 'p99'),
  });
}

function prefixed(prefix: string, values: JsonObject): Record<string, number> {
  return figuresOf(
    Object.fromEntries(Object.keys(values).map((name) => [`${prefix}.${name}`, numberAt(values, name)])),
  );
}
