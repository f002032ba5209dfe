/**
 * The way of a group of batches: ledger → autoencoder → verdict → one store transaction → acknowledgement → hub.
 * Nothing is acknowledged before its commit; a failed commit leaves no trace and the agents send again. Commits follow
 * one another; while one is under way the next group is prepared on what it will leave, so that this thread and the
 * store's work at the same time.
 */
import { type Alert, type ScoreBatch, topics } from '@lineheron/models';
import { type GroupParts, type PreparedGroup, prepareGroup } from './group.js';
import type { Feed } from './hub/feed.js';
import type { LiveState } from './hub/live-state.js';
import { type IncidentDraft, SILENCE_MS } from './incident/incident-tracker.js';
import type { SilenceTracker } from './incident/silence-tracker.js';
import { acknowledgements } from './ingest/acknowledge.js';
import type { ScoreMessage } from './ingest/decode.js';
import type { MqttLink } from './ingest/mqtt-link.js';
import { type LearningParts, learn } from './learn.js';
import { errorText, type Logger } from './log.js';
import { type Commit, StoreError } from './store/store.js';
import type { Totals } from './totals.js';
import { verdictOf } from './verdict.js';

export interface PipelineParts extends GroupParts, LearningParts {
  log: Logger;
  silences: SilenceTracker;
  totals: Totals;
  live: LiveState;
  feed: Feed;
  link: Pick<MqttLink, 'connected' | 'publish'>;
}

export class Pipeline {
  /** Verdict as it was last sent, by open alert. */
  private readonly sent = new Map<string, string>();
  /** Resolves when all that was asked for so far is done. */
  private turn: Promise<void> = Promise.resolve();
  /** Resolves to the group that is about to be committed, once the next may be prepared on it. */
  private ahead: Promise<PreparedGroup | null> = Promise.resolve(null);
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

  /** The clock was set by so much: whoever is silent has been so no longer or shorter for it. */
  clockMoved(byMs: number): void {
    this.deafMs += byMs;
    this.tickMs += byMs;
  }

  /** Deals with a group; never rejects. The next one may be given before: it is prepared while this one is committed. */
  handle(group: readonly ScoreMessage[]): Promise<void> {
    const batches = group.map(({ batch }) => batch);
    const { turn, ahead } = this;
    const preparing = ahead.then((before) => prepareGroup(this.parts, batches, before));
    this.ahead = turn.then(() => preparing).catch(() => null);
    // A fault is told when its turn comes.
    preparing.catch(() => {});
    void this.inTurn('a group of batches was not stored', () => this.settle(batches, preparing));
    return this.closeEnded();
  }

  /**
   * Closes the alerts of lines that have fallen silent, opens and closes those of the silence itself, and keeps
   * counters that no batch has carried along.
   */
  tick(): Promise<void> {
    const done = this.inTurn('looking for silent lines failed', async () => {
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
    // It closes alerts itself: nothing is prepared on what was before it.
    this.ahead = done.then(() => null);
    return done;
  }

  /** Closes the alerts of silences that are over, once for all that was heard until its turn; never rejects. */
  closeEnded(): Promise<void> {
    if (this.closing || this.parts.silences.open === 0) return this.turn;
    this.closing = true;
    return this.inTurn('closing the alerts of silences failed', async () => {
      this.closing = false;
      const { incidents, silences, fleet, now } = this.parts;
      const alerts = silences.compare(fleet.hearings(now(), silences.agents), now(), false);
      if (alerts.length === 0) return;
      await this.commit({ ranges: [], windows: [], records: [], alerts }, incidents.draft(), {});
      silences.accept(alerts);
      this.tell([], [], alerts);
    });
  }

  /** One after the other; what fails is logged, by the store itself where it is its fault, and holds up nothing. */
  private inTurn(failure: string, work: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(work).catch((error: unknown) => {
      if (!(error instanceof StoreError)) this.parts.log.error({ error: errorText(error) }, failure);
    });
    return this.turn;
  }

  private async settle(batches: readonly ScoreBatch[], preparing: Promise<PreparedGroup>): Promise<void> {
    const early = await preparing;
    const isStale = early.before !== null && !early.before.committed;
    const group = isStale ? await prepareGroup(this.parts, batches, null) : early;
    // Else each would hold all before it.
    early.before = null;
    await this.store(group);
    group.committed = true;
    this.follow(group);
  }

  private async store({
    fresh,
    ranges,
    thinned,
    implausible,
    duplicates,
    ...group
  }: PreparedGroup): Promise<void> {
    const { ledger, totals } = this.parts;
    const { content, draft, judged, timed } = group;
    const { windows, records } = content;
    await this.commit({ windows, records, ranges, alerts: draft.changes }, draft, {
      batches: fresh.length,
      windows: windows.length,
      records: records.length,
      anomalous_windows: judged.filter(({ anomalous }) => anomalous).length,
      alerts: draft.opened,
      thinned,
      ahead: timed.reduce((sum, { windows }) => sum + windows, 0),
    });
    for (const range of ranges) ledger.add(range);
    totals.count('duplicates', duplicates);
    totals.count('refused', implausible);
  }

  /** What is stored is acknowledged, learnt from and told. */
  private follow({ batches, fresh, timed, judged, content, draft }: PreparedGroup): void {
    this.afterwards('acknowledging', () => this.acknowledge(batches));
    for (const { batch, aheadMs } of timed) {
      if (aheadMs > 0) this.parts.fleet.setAhead(batch.agent, aheadMs, this.parts.now());
    }
    this.afterwards('measuring', () => learn(this.parts, fresh, judged));
    this.tell(content.news.windows, content.news.records, draft.changes);
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

  private acknowledge(batches: readonly ScoreBatch[]): void {
    for (const [agent, ack] of acknowledgements(batches)) {
      this.parts.link.publish(topics.ack(agent), ack);
    }
  }

  private tell(
    windows: Parameters<Feed['add']>[0]['windows'],
    records: Parameters<Feed['add']>[0]['records'],
    alerts: readonly Alert[],
  ): void {
    const { live, feed, fleet } = this.parts;
    const changes = { windows, records, alerts };
    for (const { agent, device } of alerts) fleet.alerted(agent, device);
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
