/** Where a change has its page. */
export function changeAddress(id: string): string {
  return `/changes/${encodeURIComponent(id.toWellFormed())}`;
}
