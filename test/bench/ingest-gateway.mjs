/**
 * A gateway that only exists on MQTT, with the agent's rules: sixteen batches on the way at most, twelve of them
 * backlog, live ones first; what the collector cannot take now waits as long as it says.
 */
import { randomBytes } from 'node:crypto';
import mqtt from 'mqtt';
import { infoOf } from './ingest-payload.mjs';

const MAX_IN_FLIGHT = 16;
const MAX_HISTORICAL = 12;

function keysOf(ranges) {
  return ranges.flatMap(({ boot, from, to }) =>
    Array.from({ length: to - from + 1 }, (_, at) => `${boot}/${from + at}`),
  );
}

export class Gateway {
  /** Sent and not yet answered, by `boot/sequence`. */
  inFlight = new Map();
  /** When each live batch that waits was made, oldest first. */
  live = [];
  /** Batches of an outage that wait. */
  backlog = 0;
  historical = 0;
  /** Batches that the collector had no room for, with the time at which they go again. */
  deferred = [];
  boot = randomBytes(8).toString('hex');
  /** What an outage left is of the process before. */
  pastBoot = randomBytes(8).toString('hex');
  sequences = { live: 0, past: 0 };

  /** `onAcked` is told each batch. */
  constructor(agent, payloads, onAcked) {
    this.agent = agent;
    this.payloads = payloads;
    this.onAcked = onAcked;
  }

  async start(url) {
    const topic = (kind) => `lineheron/v1/${this.agent}/${kind}`;
    this.topic = topic('score');
    this.client = await mqtt.connectAsync(url, {
      protocolVersion: 4,
      clientId: `lineheron-agent-${this.agent}`,
      reconnectPeriod: 0,
    });
    this.client.on('message', (from, payload) => this.hear(from, JSON.parse(payload.toString())));
    await this.client.subscribeAsync([topic('ack'), 'lineheron/v1/fleet/command'], { qos: 1 });
    await this.client.publishAsync(topic('status'), 'online', { qos: 1, retain: true });
    await this.client.publishAsync(topic('info'), JSON.stringify(infoOf(this.agent, this.boot)), {
      qos: 1,
      retain: true,
    });
  }

  async stop() {
    await this.client?.endAsync(true);
  }

  /** Sends what may be sent. */
  pump(kind) {
    this.kind = kind;
    while (this.inFlight.size < MAX_IN_FLIGHT) {
      if (this.live.length > 0) this.send({ createdMs: this.live.shift(), historical: false });
      else if (this.backlog > 0 && this.historical < MAX_HISTORICAL) {
        this.backlog--;
        this.send({ createdMs: Date.now(), historical: true });
      } else return;
    }
  }

  send(batch) {
    const { historical } = batch;
    const boot = historical ? this.pastBoot : this.boot;
    const sequence = historical ? ++this.sequences.past : ++this.sequences.live;
    const sent = { ...batch, boot, sequence };
    this.inFlight.set(`${boot}/${sequence}`, sent);
    if (historical) this.historical++;
    this.publish(sent);
  }

  publish({ boot, sequence, createdMs, historical }) {
    const { agent } = this;
    const batch = this.payloads.batch(this.kind, { agent, boot, sequence, createdMs, historical });
    this.client.publish(this.topic, batch, { qos: 1 });
  }

  hear(topic, message) {
    if (topic.endsWith('/command')) return this.answer(message);
    for (const key of keysOf(message.ranges)) this.acked(key);
    if (message.busy) this.defer(message.busy);
    this.pump(this.kind);
  }

  defer({ retry_ms, ranges }) {
    const dueMs = performance.now() + retry_ms;
    for (const key of keysOf(ranges)) this.deferred.push({ key, dueMs });
  }

  /** Sends again what is due. */
  resend() {
    const nowMs = performance.now();
    const due = this.deferred.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0) return;
    this.deferred = this.deferred.filter(({ dueMs }) => dueMs > nowMs);
    for (const { key } of due) {
      const sent = this.inFlight.get(key);
      if (sent) this.publish(sent);
    }
  }

  acked(key) {
    const sent = this.inFlight.get(key);
    if (!sent) return;
    this.inFlight.delete(key);
    if (sent.historical) this.historical--;
    this.onAcked(this, sent);
  }

  /** A training is over at once: there is no engine here. */
  answer({ type, request_id }) {
    if (type !== 'train') return;
    const event = { v: 1, type: 'training', request_id, phase: 'done', progress: 1 };
    const rows = { device: 0, gateway: 0 };
    this.client.publish(`lineheron/v1/${this.agent}/event`, JSON.stringify({ ...event, rows }), { qos: 1 });
  }
}
