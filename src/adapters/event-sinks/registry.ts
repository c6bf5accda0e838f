import { http } from './http.ts';

/** Every kind of event sink that lynceus.yaml can name. */
export const eventSinkKinds = [http] as const;
