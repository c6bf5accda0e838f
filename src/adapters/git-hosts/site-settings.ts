import Type from 'typebox';
import { httpSettings } from '../http-settings.ts';

/** What every host with a site of its own lets the operator set, under the same names. */
export const siteSettings = {
  url: Type.String({
    pattern: '^https?://[^?#@]+$',
    description: 'where people open it, such as https://git.example.com',
  }),
  ca: httpSettings.ca,
  clientCertificate: httpSettings.clientCertificate,
  clientKey: httpSettings.clientKey,
  timeout: Type.Optional(
    Type.String({ format: 'duration-text', default: '20s', description: 'time limit of one request, e.g. 20s' }),
  ),
  writeIntervalMs: Type.Optional(Type.Integer({ minimum: 0, description: 'pause between changes; default none' })),
} as const;
