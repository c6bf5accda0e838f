import type { ShownFile } from '../../../engine/promotion-diff.ts';
import type { PromotionView } from '../../../views/promotion.ts';
import { type Html, html } from '../../html.ts';

const MAX_EDITS = 20;

/** What a promotion changes in which file, in place: signs and words say what is new and what is gone. */
export function diffOf({ to, diff, edits }: PromotionView): Html | undefined {
  if (edits) {
    const shown = edits.edits.slice(0, MAX_EDITS);
    return html`<details class="diff"><summary>Edits for ${to} (${edits.total})</summary>
<ul>${shown.map(({ path, what }) => html`<li><code>${path}</code>: ${what}</li>`)}</ul>${more(edits.total - shown.length, 'edit')}</details>`;
  }
  if (!diff || diff.files.length === 0) return undefined;
  const [added, gone] = [sum(diff.files, 'additions'), sum(diff.files, 'deletions')];
  return html`<details class="diff"><summary>Diff of manifests for ${to} (${added} ${added === 1 ? 'line' : 'lines'} added, ${gone} removed)</summary>
${diff.files.map(fileHtml)}${more(diff.totalFiles - diff.files.length, 'file')}</details>`;
}

function fileHtml({ path, additions, deletions, lines, more: rest = 0 }: ShownFile): Html {
  const counts = html`<p class="fact"><code>${path}</code> <span class="quiet">${additions} added, ${deletions} removed${lines === undefined ? ': not shown here' : ''}</span></p>`;
  if (lines === undefined) return counts;
  return html`${counts}<pre tabindex="0">${lines.join('\n')}</pre>${more(rest, 'line')}`;
}

function more(count: number, what: string): Html | undefined {
  return count > 0 ? html`<p class="quiet">and ${count} more ${what}${count === 1 ? '' : 's'}</p>` : undefined;
}

function sum(files: readonly ShownFile[], what: 'additions' | 'deletions'): number {
  return files.reduce((total, file) => total + file[what], 0);
}
