import { type Document, isCollection, type Node, type Scalar, visit } from 'yaml';
import { tabAsIndentation } from './go-tabs.ts';
import { Unreadable } from './go-unreadable.ts';

/** What yaml.v3's reader lets in: a tab, line ends, and what can be printed. */
const CONTROL = /[^\t\n\r -~\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
/** Line ends in Go's YAML 1.1, but no longer in YAML 1.2. */
const SEPARATOR = /[\u2028\u2029]/;
/** A document that ends before it begins. */
const ENDED = /^(?:\s|#[^\n]*\n)*\.\.\.(?:\s|$)/;
const NAME = /^[\w-]+$/;
const ESCAPES = /\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g;

/** The text with the line ends of YAML 1.2; every character stays where it is. */
export function withLineFeeds(text: string): string {
  return text.replace(/\r(?!\n)|\u0085/g, '\n');
}

/** Refuses text that Go refuses, and newer parsers read. @throws {Unreadable} */
export function refuseText(text: string): void {
  const control = CONTROL.exec(text);
  if (control) throw new Unreadable(control.index, 'holds a control character: remove it');
  const separator = SEPARATOR.exec(text);
  if (separator) throw new Unreadable(separator.index, 'holds a line separator (U+2028, U+2029): write a line feed');
  if (ENDED.test(text)) throw new Unreadable(0, 'must not begin with "..."');
  const tab = tabAsIndentation(text);
  if (tab !== undefined) throw new Unreadable(tab, 'a tab cannot indent: write spaces');
}

/** Likewise what only shows once the text is parsed. Answers what its aliases stand for. @throws {Unreadable} */
export function refuseDocument(document: Document.Parsed, text: string): Map<unknown, Node> {
  const { yaml } = document.directives;
  if (yaml.explicit && yaml.version !== '1.1') throw new Unreadable(0, 'must be %YAML 1.1, or leave it out');
  const unknown = document.warnings.find(({ code }) => code === 'BAD_DIRECTIVE');
  if (unknown) throw new Unreadable(unknown.pos[0], unknown.message);
  const anchors = new Map<string, Node>();
  const aliases = new Map<unknown, Node>();
  visit(document, {
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchors.set(checkedName(node.anchor, node), node);
    },
    Alias: (_key, node) => {
      const target = anchors.get(checkedName(node.source, node));
      if (target === undefined)
        throw new Unreadable(node, `there is no anchor "${node.source.slice(0, 60)}" before it`);
      aliases.set(node, target);
    },
    Scalar: (key, node, path) => {
      if (key === 'key') refuseKey(node, text);
      if (node.anchor !== undefined) anchors.set(checkedName(node.anchor, node), node);
      if (node.type === 'QUOTE_DOUBLE') refuseEscapes(node, text);
      if (node.type === 'PLAIN' && isInBrackets(path)) refusePlain(node, text);
    },
  });
  return aliases;
}

function checkedName(name: string, node: Node): string {
  if (!NAME.test(name)) throw new Unreadable(node, 'an anchor has a name of a-z, 0-9, - and _');
  return name;
}

function refuseEscapes(scalar: Scalar, text: string): void {
  for (const [written, short, long, character] of sourceOf(scalar, text).matchAll(ESCAPES)) {
    const code = Number.parseInt(short ?? long ?? '0', 16);
    if (character !== '/' && !(code >= 0xd800 && code <= 0xdfff)) continue;
    throw new Unreadable(scalar, `${written} is no character: write it as it is`);
  }
}

/** Newer parsers take none, and in brackets one of several lines. */
function refuseKey(scalar: Scalar, text: string): void {
  const source = sourceOf(scalar, text);
  if (source === '') throw new Unreadable(scalar, 'a key is missing before ":"');
  if (source.includes('\n')) throw new Unreadable(scalar, 'a key must be on one line');
}

/** In brackets Go ends a plain scalar at "?", takes ":" for a part of it unless a blank follows, and wants one after a tag. */
function refusePlain(scalar: Scalar, text: string): void {
  const source = sourceOf(scalar, text);
  if (/^:|\?/.test(source)) throw new Unreadable(scalar, 'must be in quotes for its "?" or ":"');
  const end = scalar.range?.[1] ?? 0;
  if (scalar.tag !== undefined && source === '' && /\S/.test(text[end] ?? ''))
    throw new Unreadable(end, 'a blank is missing after the tag');
  if (/^:[[{]/.test(text.slice(end, end + 2))) throw new Unreadable(end, 'a blank is missing after ":"');
}

function isInBrackets(path: readonly unknown[]): boolean {
  return path.findLast((each) => isCollection(each))?.flow === true;
}

function sourceOf({ range }: Scalar, text: string): string {
  return text.slice(range?.[0] ?? 0, range?.[1] ?? 0);
}
