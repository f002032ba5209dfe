/**
 * The viewers of `bench:viewers`, in a process of their own: WebSocket clients that read, and some that stop reading.
 * Takes orders from its parent and answers each: `connect`, `measure` (for so long), `reconnect` (so many a second).
 */
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { lineKey } from './page-fleet.mjs';

/** One in so many follows all that the page does; the others sums, alerts and their line. */
const PAGES = 10;
const AT_ONCE = 50;

const healthy = [];
let latencies = null;

function open(url) {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    socket.once('message', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed before its first frame')));
  });
}

function take(data) {
  if (latencies === null) return;
  const nowMs = Date.now();
  const { windows = [] } = JSON.parse(data);
  for (const { received_at } of windows) latencies.push(nowMs - Date.parse(received_at));
}

const orders = {
  /** Connects all; `frozen` of them stop reading after their first frame. */
  async connect({ port, clients, frozen, lines }) {
    const all = Array.from({ length: clients }, (_, at) => at);
    while (all.length > 0) {
      await Promise.all(
        all.splice(0, AT_ONCE).map(async (at) => {
          const topics = at % PAGES === 0 ? 'fleet,list,alerts,records' : 'fleet,alerts';
          const line = encodeURIComponent(lineKey(at % lines));
          const socket = await open(`ws://127.0.0.1:${port}/ws?topics=${topics}&lines=${line}`);
          if (at < frozen) {
            socket.pause();
            return;
          }
          socket.on('message', take);
          healthy.push(socket);
        }),
      );
    }
    return {};
  },

  async measure({ ms }) {
    latencies = [];
    await pause(ms);
    const sorted = latencies.sort((a, b) => a - b);
    latencies = null;
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
    const alive = healthy.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
    return { received: sorted.length, p50: at(0.5), p99: at(0.99), alive };
  },

  /** Each is gone again with its first frame. */
  async reconnect({ port, perSecond, ms }) {
    const turns = Math.round((perSecond * ms) / 1000);
    const opened = [];
    for (let turn = 0; turn < turns; turn++) {
      opened.push(open(`ws://127.0.0.1:${port}/ws?lines=none`).then((socket) => socket.terminate()));
      await pause(1000 / perSecond);
    }
    await Promise.all(opened);
    return { turns };
  },
};

process.on('message', async ({ order, ...details }) => {
  process.send(await orders[order](details));
});
