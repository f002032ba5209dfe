/**
 * The load of `bench:ingest`, in a process of its own: gateways over one MQTT connection each. Takes orders from its
 * parent and answers each with what it saw: `connect`, `closed` (as much as is acknowledged), `open` (so much a second,
 * whatever is acknowledged), `disconnect`.
 */
import { Gateway } from './ingest-gateway.mjs';
import { Payloads, WINDOWS } from './ingest-payload.mjs';
import { pause } from './running.mjs';

const MAX_WARM_MS = 2000;
const TICK_MS = 5;
/** As often an agent looks what is to be sent again. */
const RESEND_MS = 1000;
/** Nothing is on its way any more when nothing came for so long. */
const QUIET_MS = 25_000;
const FULL = 16;

const warmMs = (seconds) => Math.min(MAX_WARM_MS, seconds * 500);

let gateways = [];
let onAcked = () => {};

const orders = {
  async connect({ url, count, devices }) {
    const payloads = new Payloads(devices);
    gateways = Array.from(
      { length: count },
      (_, at) =>
        new Gateway(`gw-${String(at).padStart(3, '0')}`, payloads, (gateway, sent) => onAcked(gateway, sent)),
    );
    for (const gateway of gateways) await gateway.start(url);
    setInterval(() => {
      for (const gateway of gateways) gateway.resend();
    }, RESEND_MS).unref();
  },

  /** Each gateway has as much on its way as an agent may. */
  async closed({ kind, seconds }) {
    let acked = 0;
    onAcked = (gateway) => {
      acked++;
      gateway.live.push(Date.now());
    };
    for (const gateway of gateways) {
      gateway.live = Array.from({ length: FULL }, () => Date.now());
      gateway.pump(kind);
    }
    await pause(warmMs(seconds));
    const [before, startMs] = [acked, performance.now()];
    await pause(seconds * 1000);
    const tookS = (performance.now() - startMs) / 1000;
    const windows = (acked - before) * WINDOWS;
    onAcked = () => {};
    for (const gateway of gateways) gateway.live = [];
    await drained();
    return { rate: windows / tookS };
  },

  /** `live` and `backlog` in windows a second, over all gateways. */
  async open({ kind, seconds, live, backlog }) {
    const counts = { live: 0, backlog: 0 };
    const latencies = [];
    onAcked = (_, { createdMs, historical }) => {
      counts[historical ? 'backlog' : 'live']++;
      if (!historical) latencies.push(Date.now() - createdMs);
    };
    const dues = { live: 0, backlog: 0 };
    let next = 0;
    const startMs = performance.now();
    const timer = setInterval(() => {
      const batches = (performance.now() - startMs) / 1000 / WINDOWS;
      for (; dues.live < live * batches; dues.live++)
        gateways[next++ % gateways.length].live.push(Date.now());
      for (; dues.backlog < backlog * batches; dues.backlog++) gateways[next++ % gateways.length].backlog++;
      for (const gateway of gateways) gateway.pump(kind);
    }, TICK_MS);
    await pause(warmMs(seconds));
    latencies.length = 0;
    const [before, sinceMs] = [counts.live + counts.backlog, performance.now()];
    await pause(seconds * 1000);
    const tookS = (performance.now() - sinceMs) / 1000;
    const windows = (counts.live + counts.backlog - before) * WINDOWS;
    clearInterval(timer);
    const offered = (dues.live + dues.backlog) * WINDOWS;
    // What no gateway has sent is of the time to come; what is sent must be answered.
    for (const gateway of gateways) gateway.backlog = 0;
    const unanswered = await drained();
    latencies.sort((a, b) => a - b);
    const quantile = (q) => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))] ?? 0;
    return { rate: windows / tookS, offered, unanswered, p50: quantile(0.5), p99: quantile(0.99) };
  },

  async disconnect() {
    for (const gateway of gateways) await gateway.stop();
  },
};

/** Waits for what is on its way; resolves to how many batches nobody answered. */
async function drained() {
  const waiting = () => gateways.reduce((sum, { inFlight, live }) => sum + inFlight.size + live.length, 0);
  let [known, sinceMs] = [waiting(), performance.now()];
  while (known > 0 && performance.now() - sinceMs < QUIET_MS) {
    await pause(20);
    const now = waiting();
    if (now !== known) [known, sinceMs] = [now, performance.now()];
  }
  for (const gateway of gateways) {
    gateway.inFlight.clear();
    gateway.historical = 0;
  }
  return known;
}

process.on('message', async ({ order, ...details }) => {
  process.send((await orders[order](details)) ?? {});
});
