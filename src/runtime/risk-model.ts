import type { Clock } from '../base/clock.ts';
import { isJsonObject, type JsonObject } from '../base/json.ts';
import { type Deployment, deploymentOf, outcomesOf } from '../risk/deployments.ts';
import { defaultModel, type RiskModel } from '../risk/model.ts';
import { refit } from '../risk/refit.ts';
import { type Calibration, calibrationOf } from '../risk/reliability.ts';
import type { ClaimedJob, Document, NewJob, Store } from '../store/store.ts';
import { sequenceFromRow } from '../views/sequence-document.ts';

/** What is known of a project's risk estimates: which model is used, why, and how well it did. */
export interface RiskReport {
  model: RiskModel;
  why: string;
  /** ISO 8601; `null`: never yet. */
  fittedAt: string | null;
  heldOut: { count: number; logLossOfDefault: number; logLossOfFit: number } | null;
  calibratedAt: string | null;
  /** Of what was predicted at that time, whatever model did; `null`: nothing to judge by. */
  calibration: Calibration | null;
}

/** Models of projects, kept as documents: the same for every replica, and still there after a restart. */
export interface RiskModels {
  current(project: string): Promise<RiskModel>;
  report(project: string): Promise<RiskReport>;
}

/** Of the documents and of the queue. */
const KIND = 'risk-model';
const DAY_MS = 86_400_000;
/** Coefficients move slowly; how well they do is looked at daily. */
const REFIT_MS = 30 * DAY_MS;
const CALIBRATE_MS = DAY_MS;
const LOOK_BACK_MS = 180 * DAY_MS;
/** A row carries a whole sequence. */
const PAGE = 200;
/** Ten thousand sequences: fifty a day over the time that is looked back. */
const MAX_PAGES = 50;

const NOTHING_YET: RiskReport = {
  model: defaultModel,
  why: 'the defaults are used: no outcomes have been looked at yet',
  fittedAt: null,
  heldOut: null,
  calibratedAt: null,
  calibration: null,
};

/**
 * Reads models. One that is missing or old is used as it is, and a newer one asked for in the background
 * when a change is assessed: only looking asks for no work.
 */
export function createRiskModels(store: Store, clock: Clock): RiskModels {
  const report = async (project: string) => reportIn(await store.document(KIND, project)) ?? NOTHING_YET;
  return {
    report,
    async current(project) {
      const known = await report(project);
      if (isOlder(known.calibratedAt, CALIBRATE_MS, clock)) await store.commit({ jobs: [riskModelJob(project)] });
      return known.model;
    },
  };
}

/** Looks at what became of a project's deployments, and refits the model when it is a month old. */
export async function refreshRiskModel(room: { store: Store; clock: Clock }, job: ClaimedJob): Promise<void> {
  const { store, clock } = room;
  const project = String(job.payload['project']);
  const now = clock.now();
  const known = reportIn(await store.document(KIND, project)) ?? NOTHING_YET;
  const outcomes = outcomesOf(await deployments(store, project, now.getTime() - LOOK_BACK_MS));
  const fresh = isOlder(known.fittedAt, REFIT_MS, clock) ? refit(outcomes, now) : undefined;
  const report: RiskReport = {
    ...known,
    ...(fresh ? { model: fresh.model, why: fresh.why, fittedAt: now.toISOString() } : {}),
    ...(fresh ? { heldOut: fresh.heldOut ?? null } : {}),
    calibratedAt: now.toISOString(),
    calibration: calibrationOf(outcomes) ?? null,
  };
  await store.commit({ claim: job, documents: [toDocument(project, report, now)], settle: { kind: 'done' } });
}

/** Work for one project; asking twice is asking once. */
function riskModelJob(project: string): NewJob {
  return { queue: KIND, key: project, payload: { project } };
}

async function deployments(store: Store, project: string, sinceMs: number): Promise<Deployment[]> {
  const found: Deployment[] = [];
  let after: { sort: number; id: string } | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = { kind: 'sequence', project, status: ['finished'], limit: PAGE };
    const rows = await store.documents({ ...query, ...(after ? { after } : {}) });
    const recent = rows.filter(({ sort }) => sort >= sinceMs);
    found.push(...recent.map(({ data }) => deploymentOf(sequenceFromRow(data))).filter((one) => one !== undefined));
    const last = rows.at(-1);
    if (!last || rows.length < PAGE || recent.length < rows.length) break;
    after = { sort: last.sort, id: last.id };
  }
  return found;
}

function toDocument(project: string, report: RiskReport, now: Date): Document {
  const data = JSON.parse(JSON.stringify({ report })) as JsonObject;
  return {
    kind: KIND,
    id: project,
    version: now.getTime(),
    project,
    status: report.model.origin,
    sort: now.getTime(),
    data,
  };
}

function reportIn(row: Document | undefined): RiskReport | undefined {
  return isJsonObject(row?.data['report']) ? (row.data['report'] as unknown as RiskReport) : undefined;
}

function isOlder(at: string | null, ms: number, clock: Clock): boolean {
  return at === null || clock.now().getTime() - Date.parse(at) >= ms;
}
