/** Sorts incoming MQTT messages: batches to the queue, status and info to the fleet, events to the training. */
import { type Ack, FLEET, MAX_PACKET_BYTES, parseAgentTopic, topics } from '@lineheron/models';
import type { TrainingCoordinator } from './detect/training-coordinator.js';
import type { ForestCandidates } from './forest-candidates.js';
import type { Fleet } from './hub/fleet.js';
import { refusalAck } from './ingest/acknowledge.js';
import type { BatchQueue, WaitingBatch } from './ingest/batch-queue.js';
import { decodeMessage, type Incoming, type ScoreMessage } from './ingest/decode.js';
import type { Deferrals } from './ingest/deferrals.js';
import { readScoreName } from './ingest/score-name.js';
import type { LineRequests } from './line-requests.js';
import type { Logger } from './log.js';
import type { Totals } from './totals.js';

export interface ReceiverParts {
  now: () => number;
  log: Logger;
  fleet: Fleet;
  training: TrainingCoordinator;
  lines: LineRequests;
  forests: ForestCandidates;
  totals: Totals;
  queue: Pick<BatchQueue, 'push'>;
  deferrals: Pick<Deferrals, 'add'>;
  answer: (agent: string, ack: Ack) => void;
  /** An agent is online. */
  agentSpoke: () => void;
  /** Something that the status shows has changed. */
  changed: () => void;
}

/** After so long without, too much is news again. */
const CALM_MS = 60_000;

export class Receiver {
  /** Messages refused since start, by reason. */
  readonly refused = new Map<string, number>();
  private whenConnected: Array<() => void> = [];
  private deferredMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: ReceiverParts) {}

  /** Resolves at the next connection. */
  connected(): Promise<void> {
    return new Promise((resolve) => this.whenConnected.push(resolve));
  }

  onConnected(): void {
    for (const resolve of this.whenConnected.splice(0)) resolve();
  }

  receive(topic: string, payload: Buffer): void {
    // Our own word to the fleet.
    if (topic === topics.desired(FLEET)) return;
    const place = parseAgentTopic(topic);
    if (place?.kind === 'score' && payload.byteLength > 0 && payload.byteLength <= MAX_PACKET_BYTES) {
      this.queue(place.agent, payload);
      return;
    }
    // An empty retained message clears a topic; of what is desired it says that it is so no more.
    if (payload.byteLength > 0 || topic.endsWith('/desired')) this.take(decodeMessage(topic, payload));
  }

  private take(message: Incoming): void {
    const { fleet, training, lines, forests, now, log, changed } = this.parts;
    if (message.kind === 'score') return;
    if (message.kind === 'info') fleet.setInfo(message.agent, message.info, now());
    else if (message.kind === 'refused') this.refuse(message);
    else {
      if (message.kind === 'desired') fleet.setOwn(message.agent, message.desired);
      else if (message.kind === 'status') this.setOnline(message.agent, message.online);
      else if (message.event.type === 'training') training.hear(message.agent, message.event);
      else if (message.event.type === 'lines') lines.hear(message.agent, message.event);
      else {
        forests.hear(message.agent, message.event);
        log.info({ agent: message.agent, event: message.event }, 'model event');
      }
      changed();
    }
  }

  private setOnline(agent: string, online: boolean): void {
    const { fleet, now, agentSpoke } = this.parts;
    fleet.setOnline(agent, online, now());
    if (online) agentSpoke();
  }

  /** Batches of the queue, decoded; what is none is refused. */
  open(waiting: readonly WaitingBatch[]): ScoreMessage[] {
    return waiting.flatMap(({ agent, payload }) => {
      const message = decodeMessage(topics.score(agent), payload);
      if (message.kind === 'score') return [message];
      if (message.kind === 'refused') this.refuse(message);
      return [];
    });
  }

  /** Nothing is decoded before there is room for it. */
  private queue(agent: string, payload: Buffer): void {
    const { queue, totals } = this.parts;
    const name = readScoreName(payload);
    const taken = queue.push({ agent, payload, name, historical: name?.historical ?? false });
    if (taken === 'waiting') totals.count('duplicates');
    if (taken === 'full') this.defer(agent, name);
  }

  private defer(agent: string, name: ReturnType<typeof readScoreName>): void {
    const { deferrals, totals, now, log } = this.parts;
    totals.count('deferred');
    if (name !== null) deferrals.add({ agent, ...name });
    const nowMs = now();
    if (nowMs - this.deferredMs > CALM_MS) {
      log.warn(
        'more comes than can be stored: agents are asked to send again later; see lineheron_deferred_total',
      );
    }
    this.deferredMs = nowMs;
  }

  private refuse({ agent, reason, refusal }: Extract<Incoming, { kind: 'refused' }>): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
    this.parts.totals.count('refused');
    this.parts.log.debug({ agent, reason }, 'a message was refused');
    if (agent !== null && refusal !== null) this.parts.answer(agent, refusalAck(refusal));
  }
}
