/** What lies in the deployment repository of the sandbox, on every stage's branch. */

export const STAGES = ['dev', 'staging', 'production'] as const;
export type StageName = (typeof STAGES)[number];

export interface FileOptions {
  /** Adds an indicator that a real Prometheus measures; the others come from the test itself. */
  prometheus: boolean;
  testMs: number;
  settle: string;
}

/** All files of a version: the manifest, and what Lynceus is asked to demand. */
export function filesOf(version: number, delayMs: number, options: FileOptions): Record<string, string> {
  return {
    'app.json': `${JSON.stringify({ version, delayMs }, null, 2)}\n`,
    'delivery.yaml': deliveryYaml(options),
    'slo-dev.yaml': DEV_SLO,
    'slo.yaml': sloYaml(options),
    ...(options.prometheus ? { 'sli.yaml': SLI } : {}),
  };
}

function deliveryYaml({ prometheus, testMs, settle }: FileOptions): string {
  const sli = prometheus ? ', sli: sli.yaml' : '';
  const load = `[{http: {path: /, duration: ${testMs}ms, concurrency: 5, expect: {status: 200, errorRate: 1%}}}]`;
  return `apiVersion: lynceus.dev/v1
kind: Delivery
metadata: {name: shop}
spec:
  services: [checkout]
  stages:
    - name: dev
      branch: stage/dev
      sync: automatic
      rollout: {settle: ${settle}}
      tests: ${load}
      evaluation: {slo: slo-dev.yaml}
      promotion: {onPass: manual, onWarning: none}
    - name: staging
      branch: stage/staging
      sync: gated
      checks:
        risk: {approvalAbove: 90}
      rollout: {settle: ${settle}}
      tests: ${load}
      evaluation: {slo: slo.yaml${sli}, compareWith: {lastPassed: 3}}
      soak: ${settle}
      promotion: {onPass: manual, onWarning: none}
    - name: production
      branch: stage/production
      sync: gated
      rollout: {settle: ${settle}}
      tests: ${load}
      evaluation: {slo: slo.yaml${sli}}
`;
}

/** Development is about whether it works at all. */
const DEV_SLO = `spec_version: "1.0"
comparison: {compare_with: single_result, include_result_with_score: pass, aggregate_function: avg}
objectives:
  - sli: error_rate
    pass: [{criteria: ["<=0.01"]}]
    key_sli: true
  - sli: response_time_p95
    pass: [{criteria: ["<1000"]}]
total_score: {pass: "90%", warning: "75%"}
`;

/** From staging on it must be good. */
function sloYaml({ prometheus }: FileOptions): string {
  const measured = prometheus
    ? `  - sli: slow_requests
    displayName: Slow requests (Prometheus)
    pass: [{criteria: ["<=0.05"]}]
    weight: 2
`
    : '';
  return `spec_version: "1.0"
comparison: {compare_with: single_result, include_result_with_score: pass, aggregate_function: avg}
objectives:
  - sli: error_rate
    displayName: Error rate
    pass: [{criteria: ["<=0.01"]}]
    key_sli: true
  - sli: response_time_p95
    displayName: Response time p95
    pass: [{criteria: ["<100"]}]
    warning: [{criteria: ["<150"]}]
    weight: 3
${measured}  - sli: throughput
    displayName: Throughput
total_score: {pass: "90%", warning: "75%"}
`;
}

/** The share of requests that took longer than 100 ms in the judged period. */
const SLI = `spec_version: "1.0"
indicators:
  slow_requests: >-
    1 - sum(increase(http_response_time_milliseconds_bucket{service="$SERVICE",stage="$STAGE",le="100"}[$DURATION_SECONDS]))
    / sum(increase(http_response_time_milliseconds_bucket{service="$SERVICE",stage="$STAGE",le="+Inf"}[$DURATION_SECONDS]))
`;
