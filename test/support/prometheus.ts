import { hasPrometheus } from '../../examples/sandbox/prometheus.ts';

/** Whether a real Prometheus can be started here; in CI its absence is a failure. */
export const prometheusAvailable = findPrometheus();

function findPrometheus(): boolean {
  if (hasPrometheus()) return true;
  if (process.env['CI'] === 'true')
    throw new Error('CI needs "prometheus" on the PATH (Debian: apt install prometheus)');
  console.warn('Skipped: tests against a real Prometheus, because "prometheus" is not on the PATH');
  return false;
}
