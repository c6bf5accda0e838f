import { prometheus } from './prometheus.ts';

/** Every kind of metrics source that lynceus.yaml can name. */
export const metricsSourceKinds = [prometheus] as const;
