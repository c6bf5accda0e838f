import { cloudwatch } from './cloudwatch.ts';
import { datadog } from './datadog.ts';
import { dynatrace } from './dynatrace.ts';
import { elasticsearch } from './elasticsearch.ts';
import { googleCloudMonitoring } from './google-cloud-monitoring.ts';
import { graphite } from './graphite.ts';
import { httpJson } from './http-json.ts';
import { influxdb } from './influxdb.ts';
import { newRelic } from './new-relic.ts';
import { prometheus } from './prometheus.ts';
import { splunk } from './splunk.ts';
import { sql } from './sql.ts';
import { testReport } from './test-report.ts';
import { vulnerabilityReport } from './vulnerability-report.ts';

/** Every kind of metrics source that lynceus.yaml can name. */
export const metricsSourceKinds = [
  prometheus,
  datadog,
  dynatrace,
  newRelic,
  cloudwatch,
  googleCloudMonitoring,
  testReport,
  vulnerabilityReport,
  influxdb,
  graphite,
  elasticsearch,
  splunk,
  httpJson,
  sql,
] as const;
