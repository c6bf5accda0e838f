import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { clientScript } from './client-script.ts';

/** A file that pages refer to; its address names its content, so that it never has to be asked for again. */
export interface Asset {
  /** Path in our own address, such as `/assets/app.3f2a1b9c0d4e.css`. */
  address: string;
  type: 'css' | 'js' | 'svg';
  body: string;
}

const here = import.meta.dirname;

function asset(name: string, type: Asset['type'], body: string): Asset {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
  return { address: `/assets/${name}.${hash}.${type}`, type, body };
}

/** The browser's module: as it was built, or the source with its types taken off. */
function script(): Asset {
  const built = path.join(here, 'client/app.js');
  return asset('app', 'js', clientScript(existsSync(built) ? built : path.join(here, 'client/app.ts')));
}

/** Without comments and indentation: it is written for people, and sent to browsers. */
function compact(css: string): string {
  return css.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\s*\n\s*/g, '\n');
}

/** An eye: the lookout's. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M2 16q14-20 28 0q-14 20-28 0z" fill="#0b5cad"/><circle cx="16" cy="16" r="6" fill="#fff"/><circle cx="16" cy="16" r="3" fill="#14171a"/></svg>`;

/** Read once, when the process starts. */
export const STYLE: Asset = asset('app', 'css', compact(readFileSync(path.join(here, 'assets/app.css'), 'utf8')));
export const SCRIPT: Asset = script();
export const EYE: Asset = asset('icon', 'svg', ICON);

export const ASSETS: readonly Asset[] = [STYLE, EYE, SCRIPT];
