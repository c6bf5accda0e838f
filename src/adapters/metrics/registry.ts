import { prometheus } from './prometheus.ts';
import { testReport } from './test-report.ts';
import { vulnerabilityReport } from './vulnerability-report.ts';

/** Every kind of metrics source that lynceus.yaml can name. */
export const metricsSourceKinds = [prometheus, testReport, vulnerabilityReport] as const;
