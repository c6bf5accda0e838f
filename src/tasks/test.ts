import { AdapterError } from '../base/adapter-error.ts';
import type { JsonObject } from '../base/json.ts';
import { plannedStep } from '../engine/decide.ts';
import type { Application } from '../events/application.ts';
import { errored, fail, pass, type TaskHandler, type TaskInput, type TaskTools } from './task.ts';

/** Runs the stage's tests against the deployed application, one after the other, so that they do not disturb each other. */
export const test: TaskHandler = {
  name: 'test',
  async run(input, tools) {
    const tests = plannedStep(input.sequence, 'test')?.tests ?? [];
    const url = await findUrl(input, tools);
    if (url === undefined)
      return errored('where the application answers is not known: set its annotation lynceus.dev/url');
    const reports: JsonObject[] = [];
    const failures: string[] = [];
    for (const [at, spec] of tests.entries()) {
      const report = await tools.httpTest.run(spec, url, {
        signal: input.signal,
        onProgress: ({ fraction, sentence }) => input.onProgress((at + fraction) / tests.length, sentence),
      });
      // A test that was broken off says nothing.
      if (input.signal.aborted) throw new AdapterError('cancelled', 'the test was broken off');
      reports.push({ kind: spec.kind, path: spec.path, ...report });
      failures.push(...report.failures.map((failure) => `${spec.path}: ${failure}`));
    }
    const data = {
      url,
      reports,
      start: String(reports[0]?.['start'] ?? ''),
      end: String(reports.at(-1)?.['end'] ?? ''),
    };
    if (failures.length > 0) return fail(failures.join('; '), data);
    return pass(`${tests.length === 1 ? 'the test' : `${tests.length} tests`} passed`, data);
  },
};

async function findUrl({ triggered, signal }: TaskInput, tools: TaskTools): Promise<string | undefined> {
  for (const ref of await tools.history.applications(triggered.place)) {
    const application: Application | undefined = await tools.deliverySystem(ref.system)?.read(ref, { signal });
    if (application?.url !== undefined) return application.url;
  }
  return undefined;
}
