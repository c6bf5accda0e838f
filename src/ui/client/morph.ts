import { hit, on } from './page.ts';

/** What tells an element from its neighbours. */
function nameOf(node: Node): string {
  return node instanceof Element ? node.tagName + (node.id || node.getAttribute('data-k') || '') : node.nodeName;
}

/** Parts that the reader opened or closed: they stay so. */
const chosen = new WeakSet<Element>();

/** Notes what the reader opens and closes. */
export function keepOpened(): void {
  on('click', (event) => {
    const part = hit(event, 'summary')?.parentElement;
    if (part) chosen.add(part);
  });
}

/** Makes `now` look like `next` and touches only what differs: focus, what was typed and what was opened stay. */
export function morph(now: Node, next: Node): void {
  if (now.isEqualNode(next)) return;
  if (!(now instanceof Element && next instanceof Element)) {
    now.nodeValue = next.nodeValue;
    return;
  }
  if (now.matches('#decision, form[method="post"]') && isBeingWritten(now)) {
    warn(now);
    return;
  }
  for (const { name, value } of next.attributes)
    if (now.getAttribute(name) !== value && !(name === 'open' && chosen.has(now))) now.setAttribute(name, value);
  for (const { name } of [...now.attributes])
    if (!next.hasAttribute(name) && name !== 'open') now.removeAttribute(name);
  // The text of a field is what the reader wrote, not what the page came with.
  if (now.tagName === 'TEXTAREA') return;
  let at = now.firstChild;
  for (const child of [...next.childNodes]) {
    const name = nameOf(child);
    let same = at;
    while (same && nameOf(same) !== name) same = same.nextSibling;
    if (same) {
      while (at !== same) at = remove(at as ChildNode);
      morph(same, child);
      at = same.nextSibling;
    } else now.insertBefore(document.importNode(child, true), at);
  }
  while (at) at = remove(at);
}

/** Who decides on something has seen it: what they write in stays as it is, and the server says when it is too late. */
function isBeingWritten(place: Element): boolean {
  return [...place.querySelectorAll('textarea')].some(({ value }) => value !== '');
}

function warn(place: Element): void {
  if (place.querySelector('.meanwhile')) return;
  const notice = document.createElement('p');
  notice.className = 'notice warning meanwhile';
  notice.role = 'alert';
  const link = document.createElement('a');
  link.href = location.pathname + location.search;
  link.textContent = 'show it, and keep what you wrote';
  notice.append('Something changed since you began to write: ', link);
  place.prepend(notice);
}

function remove(node: ChildNode): ChildNode | null {
  const { nextSibling } = node;
  node.remove();
  return nextSibling;
}

/** As `morph`; where the focused element is gone after all, focus goes to the one that took its place. */
export function patch(now: Element, next: Node): void {
  const focused = document.activeElement;
  const key = now.contains(focused) ? focused?.closest('[data-k]')?.getAttribute('data-k') : undefined;
  morph(now, next);
  if (focused?.isConnected || key === undefined) return;
  const heir =
    now.querySelector<HTMLElement>(`[data-k="${CSS.escape(key ?? '')}"]`) ?? now.querySelector<HTMLElement>('a');
  heir?.focus({ preventScroll: true });
}
