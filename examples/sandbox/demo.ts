import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type App, startApp } from '../../src/app.ts';
import { parseEnvironment } from '../../src/config/environment.ts';
import type { ChangeView, StageView } from '../../src/views/change.ts';
import { writeExchanges } from './argocd/exchange-file.ts';
import { freePort } from './free-port.ts';
import { hasPrometheus } from './prometheus.ts';
import { PERSON, startWorld, type World } from './world.ts';

/**
 * The story: version 1 goes from dev over staging to production; version 2 is slow, passes dev, is
 * stopped at staging's gate, and production keeps serving version 1. Everything is real but the
 * cluster: Git, processes, HTTP, metrics, and an Argo CD that speaks the real API.
 */

const headless = process.argv.includes('--headless');
/** Ctrl-C: the story ends, and everything that it started with it. */
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopped.abort());
/** Far beyond what the story takes, so that a broken one ends. */
const STORY_LIMIT_MS = 120_000;
const SLOW_MS = 120;

interface Chapter {
  version: number;
  stage: string;
  verdict: string;
  score: number | null;
  promoted: boolean;
  pullRequest: number | null;
  reason: string;
}

const began = Date.now();
const color = process.stdout.isTTY && !process.env['NO_COLOR'];
const paint = (code: number, text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text);

function say(text: string): void {
  const at = ((Date.now() - began) / 1000).toFixed(1).padStart(5);
  process.stdout.write(`${paint(2, `${at} s`)}  ${text}\n`);
}

async function main(): Promise<boolean> {
  writeExchanges(process.env['SANDBOX_ARGOCD_EXCHANGES']);
  if (process.argv.includes('--help')) {
    process.stdout.write(
      'npm run demo [-- --headless]\n\n  --headless  run the story to its end without a person, and print it as JSON\n',
    );
    return true;
  }
  const folder = mkdtempSync(join(tmpdir(), 'lynceus-demo-'));
  const port = await freePort();
  const lynceusUrl = `http://127.0.0.1:${port}`;
  const prometheus = hasPrometheus();
  say(
    prometheus
      ? 'A Prometheus is on the PATH: it measures, too.'
      : 'No Prometheus on the PATH: the tests measure by themselves.',
  );
  const world = await startWorld({ lynceusUrl, webhookToken: 'sandbox-webhook-token-0123456789', prometheus });
  let app: App | undefined;
  try {
    app = await startLynceus(folder, port, lynceusUrl, world);
    say(`Lynceus listens; the changes are at ${paint(36, `${lynceusUrl}/changes`)}`);
    if (!headless) say(`To decide there yourself, sign in with the token ${paint(36, PERSON.token)}`);
    const story = await tell(lynceusUrl, world);
    const servedInProduction = await world.shops.servedVersion('production');
    say(`Production serves version ${servedInProduction ?? 'nothing'}, asked over HTTP.`);
    const ok = isAsTold(story) && servedInProduction === '1';
    if (!headless && !stopped.signal.aborted) await untilEnd(lynceusUrl, ok);
    process.stdout.write(`${JSON.stringify({ story, ok })}\n`);
    return ok;
  } finally {
    await app?.stop();
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startLynceus(folder: string, port: number, lynceusUrl: string, world: World): Promise<App> {
  const configFile = join(folder, 'lynceus.yaml');
  writeFileSync(configFile, world.connections.text);
  const env = {
    ...world.connections.env,
    LYNCEUS_LISTEN: `127.0.0.1:${port}`,
    LYNCEUS_PUBLIC_URL: lynceusUrl,
    LYNCEUS_CONFIG: configFile,
    LYNCEUS_DATA_DIR: join(folder, 'data'),
    LYNCEUS_LOG_LEVEL: process.env['LYNCEUS_LOG_LEVEL'] ?? 'error',
    LYNCEUS_ALLOW_LOOPBACK: 'true',
    LYNCEUS_RECONCILE_EVERY: '5s',
  };
  const readFile = (path: string) => readFileSync(path, 'utf8');
  const environment = parseEnvironment(env, readFile);
  if (!environment.ok) throw new Error(environment.problems.join('\n'));
  return startApp({ environment: environment.value, sources: { env, readFile }, pollMs: 200 });
}

async function tell(lynceusUrl: string, world: World): Promise<Chapter[]> {
  await sleep(1_500); // Lynceus sees every application once before anything changes.
  say(paint(1, 'Version 1 is released.'));
  const first = await follow(lynceusUrl, world.release(1), 1, 'production');
  if (stopped.signal.aborted) return first;
  say(paint(1, `Version 2 is released. It answers ${SLOW_MS} ms later.`));
  const second = await follow(lynceusUrl, world.release(2, { delayMs: SLOW_MS }), 2, 'staging');
  return [...first, ...second];
}

/** Watches a change until its last stage is over; approves its promotions unless somebody else does. */
async function follow(lynceusUrl: string, commit: string, version: number, lastStage: string): Promise<Chapter[]> {
  const told = new Set<string>();
  const deadline = Date.now() + (headless ? STORY_LIMIT_MS : 3_600_000);
  while (Date.now() < deadline && !stopped.signal.aborted) {
    const change = await findChange(lynceusUrl, commit);
    if (change) {
      for (const stage of change.stages) tellStage(stage, told);
      await decideIfAsked(lynceusUrl, change, told);
      const last = change.stages.at(-1);
      const stopped = last?.status === 'finished' && (last.stage === lastStage || last.result === 'fail');
      if (stopped) return change.stages.map((stage) => chapterOf(stage, version, change));
    }
    await sleep(150);
  }
  say(paint(31, stopped.signal.aborted ? 'Stopped.' : 'The story did not come to its end in time.'));
  const change = await findChange(lynceusUrl, commit);
  return change?.stages.map((stage) => chapterOf(stage, version, change)) ?? [];
}

async function findChange(lynceusUrl: string, commit: string): Promise<ChangeView | undefined> {
  const answer = await fetch(`${lynceusUrl}/api/v1/changes?journeys=1`);
  const { changes } = (await answer.json()) as { changes: ChangeView[] };
  return changes.find(({ revision }) => revision === commit);
}

function tellStage(stage: StageView, told: Set<string>): void {
  for (const task of stage.tasks) {
    if (task.finishedAt === undefined || told.has(task.task) || task.name === 'plan') continue;
    told.add(task.task);
    const mark = { pass: paint(32, '✓'), warning: paint(33, '!'), fail: paint(31, '✕') }[task.result ?? 'fail'];
    const score =
      task.name === 'evaluation' && stage.score !== undefined ? ` Score ${Math.round(stage.score * 10) / 10}.` : '';
    say(`  ${mark} ${stage.stage.padEnd(10)} ${task.name.padEnd(10)} ${task.message ?? ''}${score}`);
  }
}

async function decideIfAsked(lynceusUrl: string, change: ChangeView, told: Set<string>): Promise<void> {
  for (const stage of change.stages) {
    const { decide } = stage;
    if (!decide || told.has(`decide ${decide.task}`)) continue;
    told.add(`decide ${decide.task}`);
    const what =
      decide.what === 'promotion'
        ? `Pull request ${stage.pullRequest?.number} to ${stage.pullRequest?.to}`
        : 'An approval';
    if (!headless) {
      say(
        `  ${paint(33, '❚❚')} ${what} waits: approve at ${paint(36, `${lynceusUrl}/changes/${change.id}`)} or press Enter here.`,
      );
      await enterOrDecided(lynceusUrl, change, decide.task);
      if (stopped.signal.aborted) return;
    }
    const answer = await fetch(`${lynceusUrl}/api/v1/changes/${change.id}/decisions`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${PERSON.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        verdict: 'approve',
        reason: 'the evidence is good',
        stage: stage.stage,
        revision: decide.revision,
        evidence: decide.evidence,
      }),
    });
    if (answer.ok) say(`  ${paint(32, '✓')} ${what} approved by ${PERSON.name}.`);
    else if (headless) say(paint(31, `  ${what} could not be approved: ${await answer.text()}`));
  }
}

async function enterOrDecided(lynceusUrl: string, change: ChangeView, task: string): Promise<void> {
  const pressed = new Promise<void>((resolve) => process.stdin.once('data', () => resolve()));
  let over = false;
  const decided = (async () => {
    while (!over && !stopped.signal.aborted) {
      await sleep(500);
      const now = await findChange(lynceusUrl, change.revision);
      if (!now?.stages.some((stage) => stage.decide?.task === task)) return;
    }
  })();
  await Promise.race([pressed, decided]);
  over = true;
  process.stdin.pause();
}

function chapterOf(stage: StageView, version: number, change: ChangeView): Chapter {
  const evaluated = stage.tasks.find(({ name }) => name === 'evaluation');
  return {
    version,
    stage: stage.stage,
    verdict: evaluated?.result ?? stage.result ?? 'none',
    score: stage.score === undefined ? null : Math.round(stage.score * 100) / 100,
    promoted: change.stages.some(({ stage: name }) => name === stage.pullRequest?.to),
    pullRequest: stage.pullRequest?.number ?? null,
    reason: stage.message ?? '',
  };
}

function isAsTold(story: readonly Chapter[]): boolean {
  const told = story.map(({ version, stage, verdict, promoted }) => `${version} ${stage} ${verdict} ${promoted}`);
  const expected = [
    '1 dev pass true',
    '1 staging pass true',
    '1 production pass false',
    '2 dev pass true',
    '2 staging fail false',
  ];
  return told.join('\n') === expected.join('\n');
}

async function untilEnd(lynceusUrl: string, ok: boolean): Promise<void> {
  say(ok ? paint(32, 'That is the story.') : paint(31, 'The story did not go as told.'));
  say(`Look around at ${paint(36, `${lynceusUrl}/changes`)}; Ctrl-C ends everything.`);
  await new Promise<void>((resolve) => stopped.signal.addEventListener('abort', () => resolve(), { once: true }));
}

process.exitCode = (await main()) ? 0 : 1;
// A socket that a killed process left behind must not keep the demo alive.
setTimeout(() => process.exit(), 3_000).unref();
