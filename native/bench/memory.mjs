/**
 * Resident memory of device windows at one record a second: `node memory.mjs DEVICES [baseline]` prints the process's bytes
 * outside JavaScript's heap when so many devices' windows are full. The lines stand in one buffer whose digits are
 * overwritten every second, so that JavaScript makes next to no garbage; two sizes give the bytes per device.
 */
import { Engine } from '../index.js';

const SECONDS = 40;
const START_MS = Date.UTC(2026, 0, 1);
const TIME_DIGITS = 13;
const CHUNK_LINES = 300;

const devices = Number(process.argv[2]);
const template = (device) =>
  `{"timestamp":${START_MS},"device_id":"modem-${String(device).padStart(6, '0')}","latency_ms":2000.125,` +
  '"packet_loss_pct":0.5,"retry_count":1,"error_code":200,"traffic_volume_mb":5.25,"connection_resets":0}\n';
const lineBytes = template(0).length;
const buffer = Buffer.alloc(lineBytes * CHUNK_LINES);
const engine = new Engine({ maxDevices: Math.max(devices, 1), baseline: process.argv[3] === 'baseline' });

/** Writes one line per device of this chunk; every value is another one, as measured levels are. */
function fill(first, count, second) {
  for (let index = 0; index < count; index += 1) {
    const at = index * lineBytes;
    buffer.write(template(first + index), at, 'latin1');
    let rest = START_MS + second * 1000;
    for (let digit = TIME_DIGITS - 1; digit >= 0; digit -= 1) {
      buffer[at + 13 + digit] = 48 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    const latency = buffer.indexOf('2000.125', at, 'latin1');
    const level = 1000 + (((first + index) * 7919 + second * 104_729) % 9000);
    buffer.write(String(level), latency, 'latin1');
  }
  return buffer.subarray(0, count * lineBytes);
}

for (let second = 0; second < SECONDS; second += 1) {
  for (let first = 0; first < devices; first += CHUNK_LINES) {
    const chunk = fill(first, Math.min(CHUNK_LINES, devices - first), second);
    engine.push(chunk, START_MS + SECONDS * 1000, false);
  }
}
if (engine.counters().records !== devices * SECONDS) throw new Error('lines were refused');
globalThis.gc();
const { rss, heapTotal, external } = process.memoryUsage();
process.stdout.write(
  `${JSON.stringify({ bytes: rss - heapTotal - external, devices: engine.counters().devices })}\n`,
);
