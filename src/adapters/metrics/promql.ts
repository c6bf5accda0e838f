import { escapeRegex, type QueryLanguage } from './placeholders.ts';

/** What may stand in backticks, where nothing can be escaped. */
const RAW_VALUE = /^[A-Za-z0-9_:.-]+$/;

/** How values are written in PromQL: https://prometheus.io/docs/prometheus/latest/querying/basics/ */
export const PROMQL: QueryLanguage = {
  quotes: [
    { open: '"', close: '"', escape: '\\', fill: inString },
    { open: "'", close: "'", escape: '\\', fill: inString },
    { open: '`', close: '`', fill: inBackticks },
    { open: '#', close: '\n', comment: true },
  ],
  patternOperators: ['=~', '!~'],
};

/** PromQL strings follow Go: both quotes may be escaped only inside their own kind, so use code points. */
function inString(value: string, operator: string | undefined): string {
  const text = operator === undefined ? value : escapeRegex(value);
  return text.replace(/[\\"'\p{Cc}\u2028\u2029]/gu, (character) => {
    if (character === '\\') return '\\\\';
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

function inBackticks(value: string, operator: string | undefined): string | undefined {
  if (!RAW_VALUE.test(value)) return undefined;
  return operator === undefined ? value : escapeRegex(value);
}
