/** Sorts incoming MQTT messages: batches to the queue, status and info to the fleet, events to the training. */
import { type Ack, FLEET, topics } from '@lineheron/models';
import type { TrainingCoordinator } from './detect/training-coordinator.js';
import type { ForestCandidates } from './forest-candidates.js';
import type { Fleet } from './hub/fleet.js';
import { refusalAck } from './ingest/acknowledge.js';
import type { BatchQueue } from './ingest/batch-queue.js';
import { decodeMessage, type Incoming } from './ingest/decode.js';
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
  queue: BatchQueue;
  answer: (agent: string, ack: Ack) => void;
  /** An agent is online. */
  agentSpoke: () => void;
  /** Something that the status shows has changed. */
  changed: () => void;
}

export class Receiver {
  /** Messages refused since start, by reason. */
  readonly refused = new Map<string, number>();
  private whenConnected: Array<() => void> = [];

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
    // An empty retained message clears a topic; of what is desired it says that it is so no more.
    if (payload.byteLength > 0 || topic.endsWith('/desired')) this.take(decodeMessage(topic, payload));
  }

  private take(message: Incoming): void {
    const { fleet, training, lines, forests, now, log, changed } = this.parts;
    if (message.kind === 'score') this.queue(message);
    else if (message.kind === 'info') fleet.setInfo(message.agent, message.info, now());
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

  private queue(message: Extract<Incoming, { kind: 'score' }>): void {
    const { queue, log } = this.parts;
    const before = queue.dropped;
    queue.push(message);
    if (before > 0 || queue.dropped === 0) return;
    log.warn({ agent: message.agent }, 'the queue is full: a batch was dropped; more are only counted');
  }

  private refuse({ agent, reason, refusal }: Extract<Incoming, { kind: 'refused' }>): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
    this.parts.totals.count('refused');
    this.parts.log.debug({ agent, reason }, 'a message was refused');
    if (agent !== null && refusal !== null) this.parts.answer(agent, refusalAck(refusal));
  }
}
