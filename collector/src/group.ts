/**
 * Works out what a group of batches means, and changes nothing: which of them are new, what the autoencoder says, which
 * alerts follow, what the store shall hold. While the group before it is being committed it stands on what that one
 * will leave; when that commit fails, it is worked out anew.
 */
import { type ScoreBatch, windowId } from '@lineheron/models';
import type { Reviewer } from './detect/reviewer.js';
import type { Fleet } from './hub/fleet.js';
import type { IncidentDraft, IncidentTracker } from './incident/incident-tracker.js';
import { heldAgainstArrival, type TimedBatch } from './ingest/event-time.js';
import type { Ledger } from './ingest/ledger.js';
import { PendingLedger } from './ingest/pending-ledger.js';
import { type SortedBatches, sortBatches } from './ingest/sort-batches.js';
import { type JudgedWindow, judgeWindows } from './judge.js';
import type { Settings, Store } from './store/store.js';
import { type Content, toCommit } from './to-commit.js';

export interface GroupParts {
  now: () => number;
  store: Store;
  ledger: Ledger;
  reviewer: Reviewer;
  incidents: IncidentTracker;
  fleet: Fleet;
  settings: () => Settings;
}

export interface PreparedGroup extends SortedBatches {
  batches: readonly ScoreBatch[];
  /** Those of `fresh` as they came, held against their arrival. */
  timed: readonly TimedBatch[];
  judged: readonly JudgedWindow[];
  draft: IncidentDraft;
  content: Content;
  /** It holds only once this one is committed. */
  before: PreparedGroup | null;
  committed: boolean;
}

export async function prepareGroup(
  parts: GroupParts,
  batches: readonly ScoreBatch[],
  before: PreparedGroup | null,
): Promise<PreparedGroup> {
  const { now, store, ledger, incidents, fleet, settings } = parts;
  const known =
    before === null ? ledger : new PendingLedger(ledger, before.fresh.filter(hasRows), before.ranges);
  const sorted = await sortBatches(batches, known, store);
  const receivedMs = now();
  const timed = sorted.fresh.map((batch) => heldAgainstArrival(batch, receivedMs));
  const fresh = timed.map(({ batch }) => batch);
  const reviews = await review(parts, fresh);
  const draft = incidents.draft(before?.draft);
  const model = settings().active_model;
  const judged = judgeWindows(fresh, reviews, draft, model, receivedMs, (agent, device) =>
    fleet.intervalMs(agent, device),
  );
  await explain(parts.reviewer, draft, judged);
  const content = toCommit(fresh, judged, receivedMs);
  return { ...sorted, fresh, batches, timed, judged, draft, content, before, committed: false };
}

const hasRows = ({ windows, records }: ScoreBatch) => windows.length + records.length > 0;

async function review({ reviewer, settings }: GroupParts, batches: readonly ScoreBatch[]) {
  const windows = batches.flatMap(({ agent, fingerprint, windows: inside }) =>
    inside.map(({ device, scope, state, features }) => ({
      agent,
      device,
      scope,
      fingerprint,
      state,
      features,
    })),
  );
  if (!settings().detecting) return windows.map(() => null);
  return reviewer.review(windows);
}

/** Asks the autoencoder what would have made the windows normal with which it speaks for an alert. */
async function explain(
  reviewer: Reviewer,
  draft: IncidentDraft,
  judged: readonly JudgedWindow[],
): Promise<void> {
  for (const { batch, index, window, review, alert } of judged) {
    const { agent, boot, sequence, fingerprint } = batch;
    if (alert === null || !review?.suspect) continue;
    if (!draft.isTold(alert, windowId(agent, boot, sequence, index))) continue;
    const change = await reviewer.smallestChange({ ...window, agent, fingerprint }, review);
    if (change) draft.explain(alert, change);
  }
}
