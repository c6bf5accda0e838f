import { kindOf } from '../kind-of.ts';
import type { BlockerRule } from '../told.ts';
import { fixes } from '../ways.ts';
import { prose, sentence } from '../words.ts';

const TITLES: Readonly<Record<string, string>> = { build: 'build', image: 'image build', manifest: 'manifest update' };

/** What happens before anything is delivered: the pipeline, and our reading of the files in Git. */
export const ci: BlockerRule = {
  kind: 'ci',
  tell(spot, facts) {
    if (kindOf(spot) !== 'ci') return undefined;
    const { failed, reported, step, since, wait, stage } = spot;
    const what = TITLES[step] ?? step;
    if (step === 'plan') {
      const at = stage === undefined ? {} : { stage };
      if (!failed)
        return { sentence: sentence`${prose(wait?.sentence ?? 'reading delivery.yaml')}`, since, ...at, ways: [] };
      return {
        sentence: sentence`not planned: ${prose(failed.message)}`,
        since: failed.at,
        ...at,
        ways: [fixes(facts)],
      };
    }
    const detail = reported?.detail;
    const isFailed = reported?.state === 'failed';
    const verb = isFailed ? 'failed' : reported?.state === 'queued' ? 'queued' : 'running';
    const said =
      detail === undefined
        ? sentence`${what} ${verb}`
        : sentence`${what} ${verb}${isFailed ? ' at ' : ': '}${prose(detail)}`;
    return { sentence: said, since: isFailed ? spot.heardAt : since, ways: isFailed ? [fixes(facts)] : [] };
  },
};
