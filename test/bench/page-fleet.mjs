/**
 * A fleet that only exists on MQTT: agents that publish info and score batches in their own wire form, a window and a
 * record a second for each line. Values wander; nothing is anomalous.
 */
import { DEFAULT_FEATURES } from '@lineheron/models';
import mqtt from 'mqtt';
import { FINGERPRINT, infoOf } from './ingest-payload.mjs';

const BOOT = 'be4c000000000001';
const LINES_OF_AN_AGENT = 20;

export const lineKey = (line) => `gw-${Math.floor(line / LINES_OF_AN_AGENT)}/line-${line}`;

export class PageFleet {
  sequence = 0;
  timer = null;

  constructor(url, lines) {
    this.url = url;
    this.agents = new Map();
    for (let line = 0; line < lines; line++) {
      const [agent, device] = lineKey(line).split('/');
      this.agents.set(agent, [...(this.agents.get(agent) ?? []), device]);
    }
  }

  async start() {
    this.client = await mqtt.connectAsync(this.url, { clientId: 'page-fleet' });
    for (const agent of this.agents.keys()) {
      await this.client.publishAsync(`lineheron/v1/${agent}/status`, 'online', { qos: 1, retain: true });
      const info = JSON.stringify({
        ...infoOf(agent, BOOT),
        labels: { site: 'harbour' },
        counters: { records: 1 },
      });
      await this.client.publishAsync(`lineheron/v1/${agent}/info`, info, { qos: 1, retain: true });
    }
    // Agents speak at different moments of the second.
    const agents = [...this.agents.keys()];
    let next = 0;
    this.timer = setInterval(() => {
      const agent = agents[next++ % agents.length];
      const batch = batchOf(agent, this.agents.get(agent), ++this.sequence);
      this.client.publish(`lineheron/v1/${agent}/score`, JSON.stringify(batch), { qos: 1 });
    }, 1000 / agents.length);
  }

  async stop() {
    clearInterval(this.timer);
    await this.client?.endAsync(true);
  }
}

function batchOf(agent, devices, sequence) {
  const now = new Date().toISOString();
  const records = devices.map((device_id) => ({
    timestamp: now,
    device_id,
    latency_ms: 20 + 10 * Math.random(),
    packet_loss_pct: Math.random(),
    retry_count: 0,
    traffic_volume_mb: 5 * Math.random(),
    connection_resets: 0,
    suspect: false,
  }));
  const windows = records.map((record, at) => ({
    scope: 'device',
    device: record.device_id,
    end: now,
    records: 30,
    state: 'scored',
    score: 0.4 + 0.1 * Math.random(),
    threshold: 0.6,
    suspect: false,
    baseline: { nats: 3 * Math.random(), threshold: 13 },
    features: DEFAULT_FEATURES.map(() => 10 * Math.random()),
    reasons: [],
    episode: null,
    record: at,
  }));
  return {
    v: 1,
    agent,
    boot: BOOT,
    sequence,
    created_at: now,
    fingerprint: FINGERPRINT,
    windows,
    records,
  };
}
