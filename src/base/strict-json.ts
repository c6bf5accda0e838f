import { isUtf8 } from 'node:buffer';
import type { Json } from './json.ts';

export type StrictJsonCode =
  | 'too-large'
  | 'not-utf8'
  | 'not-json'
  | 'too-deep'
  | 'duplicate-key'
  | 'forbidden-key'
  | 'bad-character';

export type StrictJson = { ok: true; value: Json } | { ok: false; code: StrictJsonCode; detail: string };

export interface StrictJsonLimits {
  /** Deeper structures overflow recursive code that comes after us. */
  maxDepth: number;
  maxBytes: number;
}

export const STRICT_JSON_LIMITS: StrictJsonLimits = { maxDepth: 64, maxBytes: 1024 * 1024 };

/** Keys that change an object when it is copied or merged naively. */
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
/** An escaped NUL or surrogate; both are worth a closer look (databases refuse them in text). */
const SUSPICIOUS_ESCAPE = /\\u(?:0000|[dD][89a-fA-F])/;

/**
 * Parses JSON from outside. Refuses what `JSON.parse` lets pass and what hurts later: duplicate keys
 * (the last one would win), keys of the prototype, deep nesting, NUL and half characters, and bytes
 * that are not UTF-8. The detail names the place as line:column.
 *
 * Valid input costs `JSON.parse`, a walk over the value and a hop from string to string of the text;
 * only refused input is read character by character.
 */
export function parseStrictJson(raw: Buffer | string, limits: StrictJsonLimits = STRICT_JSON_LIMITS): StrictJson {
  const size = typeof raw === 'string' ? Buffer.byteLength(raw) : raw.length;
  if (size > limits.maxBytes) return refuse('too-large', `${size} bytes are more than ${limits.maxBytes}`);
  if (typeof raw !== 'string' && !isUtf8(raw)) return refuse('not-utf8', 'the text is not UTF-8');
  const text = typeof raw === 'string' ? raw : raw.toString('utf8');
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    return refuse('not-json', sayWhere(text, error));
  }
  const keys = countKeys(value, limits.maxDepth);
  const unique = keys !== undefined && keys === countKeyTokens(text);
  const fault =
    unique && !(text.includes('\\u') && SUSPICIOUS_ESCAPE.test(text)) ? undefined : findFault(text, limits.maxDepth);
  if (fault !== undefined) return fault;
  return unique ? { ok: true, value } : refuse('duplicate-key', 'a key stands twice in one object');
}

function refuse(code: StrictJsonCode, detail: string): StrictJson {
  return { ok: false, code, detail };
}

/** How many keys the value has; `undefined` when it is too deep or has a forbidden one. */
function countKeys(value: Json, depth: number): number | undefined {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth === 0) return undefined;
  let total = 0;
  if (Array.isArray(value)) {
    for (const item of value) {
      const inner = countKeys(item, depth - 1);
      if (inner === undefined) return undefined;
      total += inner;
    }
    return total;
  }
  // Parsed JSON has no inherited keys, and this makes no list of them.
  for (const key in value) {
    const inner = FORBIDDEN.has(key) ? undefined : countKeys(value[key] ?? null, depth - 1);
    if (inner === undefined) return undefined;
    total += inner + 1;
  }
  return total;
}

/** Keys as they stand in the text (of valid JSON): strings that are followed by a colon. */
function countKeyTokens(text: string): number {
  let total = 0;
  let at = text.indexOf('"');
  while (at !== -1) {
    const after = skipSpace(text, endOfString(text, at) + 1);
    if (text.charCodeAt(after) === COLON) total += 1;
    at = text.indexOf('"', after);
  }
  return total;
}

const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Index of the quote that ends the string starting at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at += 1;
  }
}

/** Reads valid JSON once more from the start to say what is wrong with it, and where. */
function findFault(text: string, maxDepth: number): StrictJson | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '{' || char === '[') {
      open.push(new Set());
      if (open.length > maxDepth) return refuse('too-deep', `${place(text, at)} nested deeper than ${maxDepth} levels`);
    }
    if (char === '}' || char === ']') open.pop();
    if (char !== '"') continue;
    const end = endOfString(text, at);
    const fault = faultOfString(text, at, end, open.at(-1));
    if (fault !== undefined) return fault;
    at = end;
  }
  return undefined;
}

function faultOfString(text: string, at: number, end: number, keys: Set<string> | undefined): StrictJson | undefined {
  const value = JSON.parse(text.slice(at, end + 1)) as string;
  if (value.includes('\0')) return refuse('bad-character', `${place(text, at)} holds a NUL character`);
  if (!value.isWellFormed()) return refuse('bad-character', `${place(text, at)} holds half of a surrogate pair`);
  if (text.charCodeAt(skipSpace(text, end + 1)) !== COLON) return undefined;
  if (FORBIDDEN.has(value)) return refuse('forbidden-key', `${place(text, at)} the key "${value}" is not allowed`);
  if (keys?.has(value)) return refuse('duplicate-key', `${place(text, at)} the key ${quote(value)} stands here twice`);
  keys?.add(value);
  return undefined;
}

function quote(key: string): string {
  return JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}...` : key);
}

/** `12:7:` */
function place(text: string, at: number): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return `${line}:${at - before.lastIndexOf('\n')}:`;
}

/** V8 names the place in two manners, and not at all at the end of the text. */
function sayWhere(text: string, error: unknown): string {
  if (text.trim() === '') return 'the text is empty';
  const position = /at position (\d+)/.exec(String(error))?.[1];
  const at = position === undefined ? firstBadIndex(text, String(error)) : Number(position);
  if (at >= text.length) return `${place(text, text.length)} the text ends too early`;
  return `${place(text, at)} this is not JSON`;
}

const TOKEN = /[ \t\r\n]+|[{}[\]:,]|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/y;

/** Where a value should stand and something else does: the case that V8 describes without a position. */
function firstBadIndex(text: string, message: string): number {
  if (/end of JSON/.test(message)) return text.length;
  let before = ',';
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) return at;
    if (token.trim() !== '') {
      const wantsValue = before === ',' || before === ':' || (before === '[' && token !== ']');
      if (wantsValue && /^[}\],:]/.test(token)) return at;
      before = token;
    }
    at += token.length;
  }
  return text.length;
}
