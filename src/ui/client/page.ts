/** An element of this page by its id. */
export function byId(id: string): HTMLElement | null {
  return document.getElementById(id);
}

export function all<E extends Element = HTMLElement>(selector: string, within: ParentNode = document): E[] {
  return [...within.querySelectorAll<E>(selector)];
}

/** Listens to something that happens anywhere on the page. */
export function on<K extends keyof DocumentEventMap>(name: K, listener: (event: DocumentEventMap[K]) => void): void {
  document.addEventListener(name, listener);
}

/** Does something when the page is drawn and nothing else is to be done: one thing at a time, so that none keeps anybody waiting. */
export function soon(act: () => void): void {
  if ('requestIdleCallback' in window) requestIdleCallback(act, { timeout: SOON_MS });
  else setTimeout(act);
}

const SOON_MS = 500;

/** The element of an event, or what it is in, that a selector finds. */
export function hit<E extends Element = HTMLElement>(event: Event, selector: string): E | null {
  return event.target instanceof Element ? event.target.closest<E>(selector) : null;
}

/** What the browser remembers for us; some are told to remember nothing. */
export function recall(storage: 'localStorage' | 'sessionStorage', key: string): string | null {
  try {
    return window[storage].getItem(key);
  } catch {
    return null;
  }
}

export function remember(storage: 'localStorage' | 'sessionStorage', key: string, value: string): void {
  try {
    window[storage].setItem(key, value);
  } catch {
    // Then not.
  }
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createHTML(text: string): string }): { createHTML(text: string): string };
}

const policy = (window as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('lynceus', {
  createHTML: (text) => text,
});

/** HTML of our own server; nothing of it runs. */
export function parse(text: string): Document {
  return new DOMParser().parseFromString(policy?.createHTML(text) ?? text, 'text/html');
}

/** One element out of HTML, which may be one that stands in a table only. */
export function element(text: string): Element | null {
  return parse(`<template>${text}</template>`).querySelector('template')?.content.firstElementChild ?? null;
}
