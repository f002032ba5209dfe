/**
 * Sets the wall clock of one process, as root would that of a machine: `node --import clock-shift.mjs?file=PATH …`.
 * The file holds by how many milliseconds, and may change at any time. Timers go on, as they do when a clock is set.
 */
import { readFileSync } from 'node:fs';

const path = new URL(import.meta.url).searchParams.get('file');
const RealDate = Date;
let shiftMs = 0;

function look() {
  try {
    shiftMs = Number(readFileSync(path, 'utf8')) || 0;
  } catch {
    shiftMs = 0;
  }
}

look();
setInterval(look, 20).unref();

const now = () => RealDate.now() + shiftMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, made) => Reflect.construct(target, args.length > 0 ? args : [now()], made),
  apply: () => new RealDate(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});
