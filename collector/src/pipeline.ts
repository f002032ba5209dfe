/**
 * The way of a group of batches: ledger → autoencoder → verdict → one store transaction → acknowledgement → hub.
 * Nothing is acknowledged before its commit; a failed commit leaves no trace and the agents send again. One group at
 * a time, so that incidents follow one another.
 */
import { type Alert, type ScoreBatch, topics, windowId } from '@lineheron/models';
import type { DeviceTails } from './detect/device-tails.js';
import type { DriftMonitor } from './detect/drift-monitor.js';
import type { Reviewer } from './detect/reviewer.js';
import type { TrainingCoordinator } from './detect/training-coordinator.js';
import type { Feed } from './hub/feed.js';
import type { Fleet } from './hub/fleet.js';
import type { LiveState } from './hub/live-state.js';
import { type IncidentDraft, type IncidentTracker, SILENCE_MS } from './incident/incident-tracker.js';
import type { SilenceTracker } from './incident/silence-tracker.js';
import { acknowledgements } from './ingest/acknowledge.js';
import type { ScoreMessage } from './ingest/batch-queue.js';
import type { Ledger } from './ingest/ledger.js';
import type { MqttLink } from './ingest/mqtt-link.js';
import { sortBatches } from './ingest/sort-batches.js';
import { hasMeasured, type JudgedWindow, judgesOf, judgeWindows } from './judge.js';
import { errorText, type Logger } from './log.js';
import type { RecentValues } from './quality/percentile.js';
import type { QualityTracker } from './quality/quality-tracker.js';
import type { Commit, Settings, Store } from './store/store.js';
import { toCommit } from './to-commit.js';
import type { Totals } from './totals.js';
import { verdictOf } from './verdict.js';

export interface PipelineParts {
  now: () => number;
  log: Logger;
  store: Store;
  ledger: Ledger;
  reviewer: Reviewer;
  training: TrainingCoordinator;
  drift: DriftMonitor;
  tails: DeviceTails;
  incidents: IncidentTracker;
  silences: SilenceTracker;
  quality: QualityTracker;
  totals: Totals;
  latency: RecentValues;
  fleet: Fleet;
  live: LiveState;
  feed: Feed;
  link: Pick<MqttLink, 'connected' | 'publish'>;
  /** Detection as it is switched now. */
  settings: () => Settings;
}

const DEFAULT_WINDOW_MS = 30_000;

export class Pipeline {
  /** Verdict as it was last sent, by open alert. */
  private readonly sent = new Map<string, string>();
  private turn: Promise<void> = Promise.resolve();
  /** `closeEnded` waits for its turn. */
  private closing = false;
  /** When the broker was last found away, or we were: nobody can be heard then, nor until the agents are back. */
  private deafMs: number;
  private tickMs: number;

  constructor(private readonly parts: PipelineParts) {
    this.deafMs = parts.now();
    this.tickMs = this.deafMs;
    parts.fleet.deaf(this.deafMs);
  }

  /** Deals with a group; never rejects. */
  handle(group: readonly ScoreMessage[]): Promise<void> {
    void this.exclusively('a group of batches was not stored', () => this.store(group));
    return this.closeEnded();
  }

  /**
   * Closes the alerts of lines that have fallen silent, opens and closes those of the silence itself, and keeps
   * counters that no batch has carried along.
   */
  tick(): Promise<void> {
    return this.exclusively('looking for silent lines failed', async () => {
      const { incidents, silences, fleet, link, now } = this.parts;
      const draft = incidents.draft();
      const nowMs = now();
      // A tick that comes so late was held up with everything else, or the clock has jumped.
      if (!link.connected || nowMs - this.tickMs > SILENCE_MS) {
        this.deafMs = nowMs;
        fleet.deaf(nowMs);
      }
      this.tickMs = nowMs;
      const mayOpen = nowMs - this.deafMs >= SILENCE_MS;
      if (mayOpen) draft.closeSilent(nowMs);
      const heard = silences.compare(fleet.hearings(nowMs), nowMs, mayOpen);
      const alerts = [...draft.changes, ...heard];
      const opened = heard.filter(({ status }) => status === 'open').length;
      await this.commit({ ranges: [], windows: [], records: [], alerts }, draft, { alerts: opened });
      silences.accept(heard);
      this.tell([], [], alerts);
    });
  }

  /** Closes the alerts of silences that are over, once for all that was heard until its turn; never rejects. */
  closeEnded(): Promise<void> {
    if (this.closing || this.parts.silences.open === 0) return this.turn;
    this.closing = true;
    return this.exclusively('closing the alerts of silences failed', async () => {
      this.closing = false;
      const { incidents, silences, fleet, now } = this.parts;
      const alerts = silences.compare(fleet.hearings(now(), silences.agents), now(), false);
      if (alerts.length === 0) return;
      await this.commit({ ranges: [], windows: [], records: [], alerts }, incidents.draft(), {});
      silences.accept(alerts);
      this.tell([], [], alerts);
    });
  }

  private exclusively(failure: string, work: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(work).catch((error: unknown) => {
      this.parts.log.error({ error: errorText(error) }, failure);
    });
    return this.turn;
  }

  private async store(group: readonly ScoreMessage[]): Promise<void> {
    const { now, totals, ledger, store } = this.parts;
    const batches = group.map(({ batch }) => batch);
    const { fresh, duplicates, ranges, thinned, implausible } = await sortBatches(batches, ledger, store);
    const receivedMs = now();
    const reviews = await this.review(fresh);
    const draft = this.parts.incidents.draft();
    const { fleet, settings } = this.parts;
    const judged = judgeWindows(fresh, reviews, draft, settings().active_model, receivedMs, (agent, device) =>
      fleet.intervalMs(agent, device),
    );
    await this.explain(draft, judged);
    const content = toCommit(fresh, judged, receivedMs);
    await this.commit({ ...content, ranges, alerts: draft.changes }, draft, {
      batches: fresh.length,
      windows: content.windows.length,
      records: content.records.length,
      anomalous_windows: judged.filter(({ anomalous }) => anomalous).length,
      alerts: draft.opened,
      thinned,
    });
    for (const range of ranges) ledger.add(range);
    totals.count('duplicates', duplicates);
    totals.count('refused', implausible);
    this.afterwards('acknowledging', () => this.acknowledge(group));
    this.afterwards('measuring', () => this.measure(fresh, judged));
    const news = new Set(
      fresh.flatMap(({ historical, boot, sequence }) => (historical ? [] : [`${boot}/${sequence}`])),
    );
    const isNews = ({ boot, sequence }: { boot: string; sequence: number }) =>
      news.has(`${boot}/${sequence}`);
    this.tell(
      content.windows.filter(isNews).map(({ view }) => view),
      content.records.filter(isNews).map(({ view }) => view),
      draft.changes,
    );
  }

  private async review(batches: readonly ScoreBatch[]) {
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
    if (!this.parts.settings().detecting) return windows.map(() => null);
    return this.parts.reviewer.review(windows);
  }

  /** Asks the autoencoder what would have made the windows normal with which it speaks for an alert. */
  private async explain(draft: IncidentDraft, judged: readonly JudgedWindow[]): Promise<void> {
    for (const { batch, index, window, review, alert } of judged) {
      const { agent, boot, sequence, fingerprint } = batch;
      if (alert === null || !review?.suspect) continue;
      if (!draft.isTold(alert, windowId(agent, boot, sequence, index))) continue;
      const change = await this.parts.reviewer.smallestChange({ ...window, agent, fingerprint }, review);
      if (change) draft.explain(alert, change);
    }
  }

  private async commit(
    content: Omit<Commit, 'totals'>,
    draft: IncidentDraft,
    own: Parameters<Totals['due']>[0],
  ): Promise<void> {
    const { store, totals, incidents } = this.parts;
    const due = totals.due(own);
    const isEmpty =
      content.ranges.length + content.alerts.length === 0 &&
      Object.values(due).every((amount) => amount === 0);
    if (!isEmpty) await store.commit({ ...content, totals: due });
    totals.committed(due, own);
    incidents.accept(draft);
  }

  /** What follows a commit takes nothing back and holds up nothing else when it fails. */
  private afterwards(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.parts.log.error({ error: errorText(error) }, `everything is stored, but ${what} failed`);
    }
  }

  private acknowledge(group: readonly ScoreMessage[]): void {
    for (const [agent, ack] of acknowledgements(group.map(({ batch }) => batch))) {
      this.parts.link.publish(topics.ack(agent), ack);
    }
  }

  /** Everything that learns from windows, after they are safe. */
  private measure(batches: readonly ScoreBatch[], judged: readonly JudgedWindow[]): void {
    const { now, latency, fleet, quality, training, drift, tails, settings } = this.parts;
    const nowMs = now();
    for (const { created_at, historical } of batches) {
      if (!historical) latency.add(Math.max(0, nowMs - Date.parse(created_at)));
    }
    const { detecting } = settings();
    for (const { batch, window, endMs, review, score, opinion, anomalous } of judged) {
      const { agent, fingerprint } = batch;
      const { scope, device, state, features } = window;
      // Only normal is learnt; a forest by itself keeps nothing out, or a bad one would.
      const learnable = window.episode === null || settings().active_model === 'isolation_forest';
      if (state !== 'warming_up' && learnable)
        training.gather({ agent, device, scope, fingerprint, endMs, features });
      const windowMs = (fleet.info(agent)?.window_seconds ?? 0) * 1000 || DEFAULT_WINDOW_MS;
      // What came late says nothing of how things are, and a line's quality is followed in the order of time.
      if (batch.historical) continue;
      const judges = judgesOf(window, window.baseline, review);
      const measured = hasMeasured(features, fleet.features(agent));
      fleet.seen(agent, { device, scope, state, endMs, judges, measured }, nowMs);
      if (state !== 'warming_up' && learnable) {
        const normal = { agent, scope, fingerprint, device, endMs, windowMs, features, score };
        drift.add(normal);
        tails.add(normal);
      }
      if (scope !== 'device') continue;
      if (window.baseline || (window.baseline === null && state !== 'warming_up')) fleet.baselineReady = true;
      quality.add({
        line: `${agent}/${device}`,
        endMs,
        truth: window.is_anomaly ?? null,
        windowMs,
        forest: detecting && state === 'scored' ? opinion.forest : null,
        baseline: detecting && window.baseline ? opinion.baseline : null,
        autoencoder: review ? review.suspect : null,
        rare: opinion.rare === true,
        anomalous,
      });
    }
  }

  private tell(
    windows: Parameters<Feed['add']>[0]['windows'],
    records: Parameters<Feed['add']>[0]['records'],
    alerts: readonly Alert[],
  ): void {
    const { live, feed } = this.parts;
    const changes = { windows, records, alerts };
    this.afterwards('sending verdicts', () => this.sendVerdicts(alerts));
    this.afterwards('keeping what a new client sees', () => live.add(changes));
    this.afterwards('telling the feed', () => feed.add(changes));
  }

  private sendVerdicts(alerts: readonly Alert[]): void {
    const { link, now } = this.parts;
    for (const alert of alerts) {
      if (alert.historical) continue;
      const said = `${alert.status} ${alert.verdict} ${alert.severity}`;
      if (this.sent.get(alert.id) === said) continue;
      link.publish(topics.verdict(alert.agent), verdictOf(alert, now()));
      if (alert.status === 'open') this.sent.set(alert.id, said);
      else this.sent.delete(alert.id);
    }
  }
}
