import type { Calibration, Publication } from './calibration.ts';
import type { Dora } from './dora.ts';
import type { Basis, Quant } from './quant.ts';
import type { Forecast } from './question.ts';
import type { FailingStep } from './weak-spots.ts';

/** What the screen and the API show. */
export interface ForecastView {
  /** ISO 8601. */
  asOf: string;
  /** What it is about, as far as that was said or could be told. */
  about: { project?: string; service?: string; team?: string; from?: string; to?: string; days: number };
  choices: { services: { project: string; service: string }[]; teams: string[]; stages: string[] };
  /** Runs of the service that say how it ends, of all that are known. */
  runs: { used: number; all: number };
  /** From entering `from` to the end of `to`; null: no service was named. */
  forecast: Pick<Forecast, 'eta' | 'odds'> | null;
  publication: Publication;
  steps: { stage: string; step: string; human: boolean; basis: Basis; expected: Quant }[];
  failsAt: FailingStep[];
  calibration: Calibration;
  slow: string[];
  dora: Dora & { stage?: string };
}
