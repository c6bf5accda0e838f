import type { RiskSignalKey } from '../definitions/delivery-risk.ts';
import {
  amount,
  count,
  flag,
  graded,
  lookAtAuthors,
  lookAtBudget,
  lookAtFailure,
  lookAtFreeze,
  lookAtProbes,
  lookAtSoak,
  lookAtTime,
  type Seen,
  sizeOf,
} from './looks.ts';
import type { RiskSignals } from './signals.ts';

export interface Signal {
  key: RiskSignalKey;
  /** As reasons call it. */
  name: string;
  /** Where it comes from. */
  source: 'Git' | 'history' | 'metrics' | 'policy' | 'clock';
  /** `undefined`: not known. */
  look(signals: RiskSignals): Seen | undefined;
  /** Only where there is something to look at: left out, it does not apply, and nobody misses it. */
  optional?: true;
}

/** Nobody forgets within a week how a service is deployed; after a month many have. */
const FRESH_DAYS = 7;
const STALE_DAYS = 30;

const JUMPS = { none: 0, patch: 0, minor: 0.3, major: 1 } as const;
const RESULTS = { pass: 0, warning: 1, fail: 1 } as const;

/** Every signal that the model knows: families after Kamei et al. (TSE 2013), and what operations adds. */
export const SIGNALS: readonly Signal[] = [
  { key: 'size', name: 'size', source: 'Git', look: ({ lines }) => amount(lines, sizeOf, 'changed line') },
  { key: 'files', name: 'files', source: 'Git', look: ({ files }) => amount(files, (n) => n / 40, 'file') },
  {
    key: 'diffusion',
    name: 'diffusion',
    source: 'Git',
    look: ({ directories }) => amount(directories, (n) => n / 8, 'top-level directory', 'top-level directories'),
  },
  { key: 'batch', name: 'batch', source: 'Git', look: ({ commits }) => amount(commits, (n) => (n - 1) / 19, 'commit') },
  {
    key: 'sensitivePaths',
    name: 'sensitive paths',
    source: 'Git',
    look: ({ sensitive }) => flag(sensitive && sensitive.length > 0, sensitive?.join(', ') ?? '', 'none'),
  },
  {
    key: 'configAndImage',
    name: 'config and image',
    source: 'Git',
    optional: true,
    look: ({ configAndImage }) => flag(configAndImage, 'both change at once', 'not both at once'),
  },
  {
    key: 'versionJump',
    name: 'version jump',
    source: 'Git',
    optional: true,
    look: ({ versionJump }) =>
      versionJump && { strength: JUMPS[versionJump], seen: versionJump === 'none' ? 'none' : `${versionJump} version` },
  },
  { key: 'familiarity', name: 'familiarity', source: 'history', optional: true, look: lookAtAuthors },
  { key: 'recentFailure', name: 'recent failure', source: 'history', look: lookAtFailure },
  {
    key: 'lastDeployment',
    name: 'last deployment',
    source: 'history',
    optional: true,
    look: ({ daysSinceDeployment }) =>
      graded(
        daysSinceDeployment,
        (days) => (days - FRESH_DAYS) / (STALE_DAYS - FRESH_DAYS),
        (days) => `${Math.floor(days)} d ago`,
      ),
  },
  {
    key: 'alerts',
    name: 'alerts',
    source: 'metrics',
    optional: true,
    look: ({ alertsFiring }) =>
      graded(
        alertsFiring,
        (n) => (n > 0 ? 1 : 0),
        (n) => `${count(n, 'alert')} fired in 24 h`,
      ),
  },
  {
    key: 'previousStage',
    name: 'previous stage',
    source: 'history',
    optional: true,
    look: ({ previousResult }) =>
      previousResult && { strength: RESULTS[previousResult], seen: `ended with ${previousResult} there` },
  },
  { key: 'previousSoak', name: 'previous soak', source: 'history', optional: true, look: lookAtSoak },
  { key: 'errorBudget', name: 'error budget', source: 'metrics', optional: true, look: lookAtBudget },
  {
    key: 'dependencies',
    name: 'dependencies',
    source: 'metrics',
    optional: true,
    look: ({ dependencies }) => lookAtProbes(dependencies),
  },
  {
    key: 'infrastructure',
    name: 'infrastructure',
    source: 'metrics',
    optional: true,
    look: ({ infrastructure }) => lookAtProbes(infrastructure),
  },
  { key: 'time', name: 'time', source: 'clock', look: lookAtTime },
  { key: 'freeze', name: 'freeze', source: 'policy', optional: true, look: lookAtFreeze },
  {
    key: 'selfApproval',
    name: 'self-approval',
    source: 'history',
    optional: true,
    look: ({ selfApproved }) => flag(selfApproved, 'approved by an author', 'approved by somebody else'),
  },
  {
    key: 'rollback',
    name: 'rollback',
    source: 'history',
    look: ({ rollback }) => flag(rollback, 'goes back to what ran before', 'no'),
  },
  {
    key: 'noDifference',
    name: 'no difference',
    source: 'Git',
    look: ({ noDifference }) => flag(noDifference, 'the files are what runs', 'the files differ'),
  },
];
