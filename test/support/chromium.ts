import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** Where it is; undefined: nowhere. */
export const chromiumPath = findBinary();

/** Whether pages can be looked at in a real browser here; in CI its absence is a failure. */
export const chromiumAvailable = chromiumPath !== undefined;

function findBinary(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path));
  if (found !== undefined) return found;
  if (process.env['CI'] === 'true') throw new Error('CI needs "chromium" on the PATH (Debian: apt install chromium)');
  console.warn('Skipped: pages in a real browser, because "chromium" is not on the PATH');
  return undefined;
}

export interface View {
  width: number;
  scheme: 'light' | 'dark';
}

/** A page as somebody sees it. */
export interface Tab {
  open(url: string, view: View): Promise<void>;
  /** Evaluates an expression in the page. */
  evaluate<T>(expression: string): Promise<T>;
  /** The whole page as a PNG. */
  screenshot(file: string): Promise<void>;
  /** What the page logged, and every dialog that it opened. */
  noises: string[];
}

export interface Browser {
  tab: Tab;
  close(): Promise<void>;
}

/** Starts a Chromium without a window and speaks the DevTools protocol with it. */
export async function startChromium(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'lynceus-chromium-'));
  const child = spawn(
    chromiumPath ?? '',
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      '--no-first-run',
      `--user-data-dir=${profile}`,
      '--remote-debugging-port=0',
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async () => {
    child.kill('SIGKILL');
    await ended;
    await sleep(50);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    return { tab: await attach(await debuggingUrl(child)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Chromium says on standard error where it can be debugged. */
function debuggingUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.on('data', (chunk) => {
      text += String(chunk);
      const url = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', () => reject(new Error(`Chromium ended: ${text.slice(-2000)}`)));
  });
}

type Call = (method: string, params?: object) => Promise<Record<string, unknown>>;

async function attach(browserUrl: string): Promise<Tab> {
  const origin = new URL(browserUrl);
  const targets = (await (await fetch(`http://${origin.host}/json`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const page = targets.find(({ type }) => type === 'page');
  const noises: string[] = [];
  const { call, once } = await connect(page?.webSocketDebuggerUrl ?? '', noises);
  for (const domain of ['Page', 'Runtime', 'Log']) await call(`${domain}.enable`);
  return {
    noises,
    async open(url, { width, scheme }) {
      await call('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
      await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
      const loaded = once('Page.loadEventFired');
      await call('Page.navigate', { url });
      await loaded;
    },
    async evaluate<T>(expression: string) {
      const answer = await call('Runtime.evaluate', { expression, returnByValue: true });
      return (answer['result'] as { value: T }).value;
    },
    async screenshot(file) {
      const answer = await call('Page.captureScreenshot', { captureBeyondViewport: true });
      writeFileSync(file, Buffer.from(String(answer['data']), 'base64'));
    },
  };
}

interface Message {
  id?: number;
  method?: string;
  params?: { message?: string; entry?: { text: string } };
  result?: Record<string, unknown>;
  error?: { message: string };
}

async function connect(
  url: string,
  noises: string[],
): Promise<{ call: Call; once: (method: string) => Promise<void> }> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Map<string, () => void>();
  let last = 0;
  const call: Call = (method, params = {}) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, ({ result = {}, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
      socket.send(JSON.stringify({ id, method, params }));
    });
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) return waiting.get(message.id)?.(message);
    listeners.get(message.method ?? '')?.();
    if (message.method === 'Log.entryAdded') noises.push(message.params?.entry?.text ?? '');
    if (message.method !== 'Page.javascriptDialogOpening') return;
    noises.push(`dialog: ${message.params?.message}`);
    void call('Page.handleJavaScriptDialog', { accept: true });
  });
  return { call, once: (method) => new Promise((resolve) => void listeners.set(method, resolve)) };
}
