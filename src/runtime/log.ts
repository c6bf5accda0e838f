import pino, { type Logger } from 'pino';

/** The logger as the house uses it: a constant sentence plus fields. */
export type Log = Pick<Logger, 'info' | 'warn' | 'error' | 'debug' | 'child'>;

const MASK = '<secret>';

/** Logs JSON lines to a stream; every value in `secrets` is masked wherever it turns up. */
export function createLog(options: {
  level: string;
  secrets: readonly string[];
  stream?: { write(line: string): void };
}): Log {
  const target = options.stream ?? pino.destination({ dest: 2, sync: false });
  // A secret with a quote or a backslash looks different inside a line of JSON.
  const secrets = options.secrets
    .filter((secret) => secret.length >= 4)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  const masked = {
    write: (line: string) => target.write(secrets.reduce((text, secret) => text.replaceAll(secret, MASK), line)),
  };
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    masked,
  );
}
