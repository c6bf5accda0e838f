import type { Static } from 'typebox';
import Type from 'typebox';
import { AdapterError } from '../../base/adapter-error.ts';
import { isJsonObject } from '../../base/json.ts';
import { type AdapterTools, defineAdapter } from '../adapter-kind.ts';
import { createHttpClient, path } from '../http-client.ts';
import { httpSettings, loginSettings, toClientOptions, withLogin } from '../http-settings.ts';
import type { MetricsSource, QueryVariables, Reading } from './metrics-source.ts';
import { noData, severalValues } from './missing.ts';
import { readText } from './numbers.ts';
import { fillPlaceholders, periodOf, type QueryLanguage } from './placeholders.ts';

/** With these a text in quotes is a pattern, or a search of its own. */
const PATTERNS = /\b(?:rex|regex|match|like|replace|searchmatch|map|erex|mvmap|mvfilter|cidrmatch)\b/i;

const SplunkConfig = Type.Object(
  {
    ...httpSettings,
    ...loginSettings,
    app: Type.Optional(Type.String({ minLength: 1, description: 'app whose macros and lookups searches see' })),
    acceptWarnings: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'take results that Splunk warns of, such as those of a part of the data',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Splunk: a query is a search (SPL) that comes down to one row with one field. */
export const splunk = defineAdapter<MetricsSource, typeof SplunkConfig>({
  kind: 'splunk',
  schema: SplunkConfig,
  create: createSplunk,
});

/**
 * Runs a search and waits for its results in one request
 * (https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch#search.2Fjobs, `exec_mode=oneshot`).
 */
function createSplunk(name: string, config: Static<typeof SplunkConfig>, tools: AdapterTools): MetricsSource {
  const who = `Splunk ${name}`;
  const client = createHttpClient(withLogin(toClientOptions(who, config, tools), config, tools));
  return {
    kind: 'splunk',
    name,
    async read(query, { signal } = {}) {
      const { startMs, endMs, variables } = periodOf(query);
      const { data } = await client.json({
        method: 'POST',
        path: config.app === undefined ? '/services/search/jobs' : path`/servicesNS/nobody/${config.app}/search/jobs`,
        form: {
          search: toSearch(query.query, variables),
          earliest_time: (startMs / 1000).toFixed(3),
          latest_time: (endMs / 1000).toFixed(3),
          exec_mode: 'oneshot',
          output_mode: 'json',
          count: '4',
        },
        ...(signal ? { signal } : {}),
      });
      return toReading(data, { who, quote: client.quote, acceptWarnings: config.acceptWarnings ?? false });
    },
  };
}

function toSearch(query: string, variables: QueryVariables): string {
  const search = fillPlaceholders(query.trim(), variables, PATTERNS.test(query) ? WORDS_ONLY : SPL);
  return /^(?:\||search\b)/i.test(search) ? search : `search ${search}`;
}

/** A quoted `*` is still a wildcard to the search command, and a backtick may be a macro: neither is taken. */
const SPL: QueryLanguage = {
  quotes: [
    { open: '```', close: '```', comment: true },
    {
      open: '"',
      close: '"',
      escape: '\\',
      fill: (value) => (/[*`\p{Cc}]/u.test(value) || value === '' ? undefined : value.replace(/[\\"]/g, '\\$&')),
    },
    { open: "'", close: "'" },
  ],
};
const WORDS_ONLY: QueryLanguage = {
  quotes: [
    { open: '"', close: '"', escape: '\\', fill: (value) => (/^[A-Za-z0-9_-]+$/.test(value) ? value : undefined) },
  ],
};

interface Answerer {
  who: string;
  quote: (words: string) => string;
  acceptWarnings: boolean;
}

function toReading(body: unknown, { who, quote, acceptWarnings }: Answerer): Reading {
  const results = isJsonObject(body) ? body['results'] : undefined;
  if (!isJsonObject(body) || !Array.isArray(results) || !results.every(isJsonObject)) {
    throw new AdapterError('bad-response', `${who} answered no results of a search: is its URL right?`);
  }
  const said = (type: RegExp) => messagesOf(body['messages']).find((message) => type.test(message.type))?.text;
  const failed = said(/^(?:FATAL|ERROR)$/i);
  if (failed !== undefined) throw new AdapterError('rejected', `${who}: ${quote(failed)}`);
  if (body['preview'] === true) throw new AdapterError('unavailable', `${who} answered before its search was done`);
  const warned = said(/^WARN/i);
  if (warned !== undefined && !acceptWarnings) return { ok: false, missing: 'doubtful', message: quote(warned) };
  const [row, second] = results;
  if (row === undefined) return noData();
  if (second !== undefined)
    return severalValues(
      'rows',
      results.map(() => 'row'),
      'bring them together with stats',
    );
  const fields = Object.entries(row).filter(([field]) => !field.startsWith('_'));
  const [field, other] = fields;
  if (field === undefined) return noData();
  if (other !== undefined)
    return severalValues(
      'fields',
      fields.map(([one]) => one),
      'choose one with fields',
    );
  const [, value] = field;
  if (Array.isArray(value)) return severalValues('values', value.map(String), 'choose one, for example with mvindex');
  return readText(String(value ?? ''));
}

function messagesOf(messages: unknown): { type: string; text: string }[] {
  const all = Array.isArray(messages) ? messages.filter(isJsonObject) : [];
  return all.map((message) => ({ type: String(message['type'] ?? ''), text: String(message['text'] ?? '') }));
}
