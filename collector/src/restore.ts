/** Takes up where the last run ended: totals, settings, open alerts, what the feed shows, trainings. */

import type { TrainingCoordinator } from './detect/training-coordinator.js';
import { interrupted, isTrainingEnded } from './detect/training-state.js';
import type { Fleet } from './hub/fleet.js';
import { type LiveState, SNAPSHOT_RECORDS } from './hub/live-state.js';
import type { IncidentTracker } from './incident/incident-tracker.js';
import { isSilence, type SilenceTracker } from './incident/silence-tracker.js';
import { judgesOf } from './judge.js';
import type { Settings, Store } from './store/store.js';
import type { Totals } from './totals.js';

export interface RestoredParts {
  store: Store;
  totals: Totals;
  fleet: Fleet;
  incidents: IncidentTracker;
  silences: SilenceTracker;
  live: LiveState;
  training: TrainingCoordinator;
  control: { restore(settings: Partial<Settings>): void };
}

/** What lines and their sparklines are known by at once. */
const RECENT_MS = 5 * 60_000;
const RECENT_WINDOWS = 4000;
const RECENT_ALERTS = 100;
const MAX_OPEN_ALERTS = 10_000;
/** Looked through for such as a backlog that is still coming may go on with. */
const MAX_PAST_ALERTS = 1000;

export async function restore(parts: RestoredParts, nowMs: number): Promise<void> {
  const { store, totals, incidents, silences, control } = parts;
  totals.restore(await store.totals());
  control.restore(await store.settings());
  const open = await store.alerts({ limit: MAX_OPEN_ALERTS, status: 'open' });
  silences.restore(open.filter(isSilence));
  incidents.restore(
    open.filter((alert) => !isSilence(alert)),
    nowMs,
  );
  const closed = await store.alerts({ limit: MAX_PAST_ALERTS, status: 'closed' });
  incidents.restore(
    closed.filter(({ historical }) => historical),
    nowMs,
  );
  await restoreLive(parts, nowMs);
  await restoreTrainings(parts, nowMs);
}

async function restoreLive({ store, live, fleet }: RestoredParts, nowMs: number): Promise<void> {
  const sinceMs = nowMs - RECENT_MS;
  const windows = await store.recentWindows({ limit: RECENT_WINDOWS, sinceMs });
  const records = await store.recentRecords(SNAPSHOT_RECORDS);
  const alerts = await store.alerts({ limit: RECENT_ALERTS });
  const news = windows.filter(({ historical }) => !historical).reverse();
  for (const window of news) {
    const { agent, device, scope, state, end, received_at } = window;
    const { isolation_forest, adaptive_baseline, autoencoder } = window;
    const judges = judgesOf(isolation_forest, adaptive_baseline?.score, autoencoder.score);
    // The store keeps no features of it: what it measured last is told by its next window.
    const line = { device, scope, state, endMs: Date.parse(end), judges, measured: false };
    fleet.restore(agent, line, Date.parse(received_at), nowMs);
  }
  live.add({
    windows: news,
    records: records.reverse(),
    alerts: alerts.reverse(),
  });
}

/** A training that was under way when the collector ended can never end by itself. */
async function restoreTrainings({ store, training }: RestoredParts, nowMs: number): Promise<void> {
  const trainings = await store.trainings(50);
  const ended = trainings.map((one) => (isTrainingEnded(one) ? one : interrupted(one, nowMs)));
  for (const [at, one] of ended.entries()) if (one !== trainings[at]) await store.saveTraining(one);
  training.remember(ended[0] ?? null);
}
