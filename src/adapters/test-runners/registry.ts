import { createHttpTestRunner } from './http.ts';

export { createHttpTestRunner };

/** How to create the runner of each kind of test that delivery.yaml can name. */
export const testRunners = { http: createHttpTestRunner } as const;
