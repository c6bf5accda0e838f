import { createHmac } from 'node:crypto';
import type { Static } from 'typebox';
import Type from 'typebox';
import { type AdapterTools, defineAdapter, SecretRef } from '../adapter-kind.ts';
import { createHttpClient } from '../http-client.ts';
import { httpSettings, loginSettings, toClientOptions, withLogin } from '../http-settings.ts';
import type { EventSink } from './event-sink.ts';

const schema = Type.Object(
  { ...httpSettings, ...loginSettings, secret: Type.Optional(SecretRef) },
  {
    additionalProperties: false,
  },
);

/** CloudEvents over HTTP in structured mode, signed where there is a secret. */
export const http = defineAdapter<EventSink, typeof schema>({ kind: 'http', schema, create: createHttpSink });

const MAX_ANSWER = 64 * 1024;

function createHttpSink(name: string, config: Static<typeof schema>, tools: AdapterTools): EventSink {
  const options = withLogin(toClientOptions(`event sink ${name}`, config, tools), config, tools);
  const secret = config.secret === undefined ? undefined : tools.secret(config.secret);
  const client = createHttpClient({ ...options, secrets: [...options.secrets, ...(secret ? [secret] : [])] });
  return {
    name,
    async send(event, { signal }) {
      // The client writes it in the same way: what is signed is what is sent.
      const body = JSON.stringify(event);
      const signature = secret && createHmac('sha256', secret.reveal()).update(body).digest('hex');
      await client.text({
        method: 'POST',
        path: '',
        body: event,
        headers: {
          'Content-Type': 'application/cloudevents+json; charset=utf-8',
          ...(signature === undefined ? {} : { 'X-Lynceus-Signature-256': `sha256=${signature}` }),
        },
        maxResponseBytes: MAX_ANSWER,
        signal,
      });
    },
  };
}
