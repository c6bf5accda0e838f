import { readFileSync } from 'node:fs';
import { writeExchanges } from './exchange-file.ts';
import { type SandboxOptions, startSandboxArgoCd } from './server.ts';

/**
 * Runs the sandbox Argo CD as a process of its own: `node main.ts config.json`, or the same JSON in
 * SANDBOX_ARGOCD. Prints its address as one line of JSON once it answers; ends on SIGTERM and SIGINT.
 */
const [, , file] = process.argv;
const text = file === undefined ? process.env['SANDBOX_ARGOCD'] : readFileSync(file, 'utf8');
if (text === undefined) {
  console.error('Usage: node main.ts config.json (or the configuration in SANDBOX_ARGOCD)');
  process.exit(2);
}
writeExchanges(process.env['SANDBOX_ARGOCD_EXCHANGES']);
const sandbox = await startSandboxArgoCd({ admin: true, ...(JSON.parse(text) as SandboxOptions) });
console.log(JSON.stringify({ url: sandbox.url }));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void sandbox.close().then(() => process.exit(0)));
}
