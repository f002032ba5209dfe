import { beforeEach, expect, it } from 'vitest';
import { ConnectionLog } from './connection-log.js';

let nowMs: number;
let lines: string[];
let log: ConnectionLog;

beforeEach(() => {
  [nowMs, lines] = [0, []];
  const told = (_detail: object, message: string) => void lines.push(message);
  log = new ConnectionLog({ info: told, warn: told }, () => nowMs);
});

function pass(ms: number): void {
  for (const untilMs = nowMs + ms; nowMs < untilMs; nowMs += 1000) log.tick();
}

function flap(times: number, upMs = 1000, downMs = 1000): void {
  for (let turn = 0; turn < times; turn++) {
    log.up();
    pass(upMs);
    log.down();
    pass(downMs);
  }
}

const LOST = 'the connection to the broker is lost: trying again';

it('a loss and a return now and then are told one by one', () => {
  flap(3, 900_000);
  expect(lines).toEqual(Array(3).fill(['connected to the broker', LOST]).flat());
});

it('a broker that comes and goes is called that once, and told of again when it is steady', () => {
  flap(1000);
  log.up();
  pass(299_000);
  expect(lines.slice(4)).toEqual([
    'connected to the broker',
    'the broker comes and goes (3 times in 4 s): more of that is only counted',
  ]);
  pass(2000);
  expect(lines.at(-1)).toBe('the broker is steady again: it had come and gone (1000 times in 33 min)');
  pass(600_000);
  expect(lines).toHaveLength(7);
  log.down();
  expect(lines.at(-1)).toBe(LOST);
});

it('a broker that came and went and stays away is told of, and so is its return', () => {
  flap(50);
  pass(60_000);
  expect(lines.at(-1)).toMatch(/^the broker is away: it had come and gone \(50 times in /);
  log.up();
  expect(lines.at(-1)).toBe('connected to the broker');
});

it('a reason is news once until the connection is steady, and many different ones are not all told', () => {
  expect([log.isNews('refused'), log.isNews('refused')]).toEqual([true, false]);
  log.up();
  expect(log.isNews('refused')).toBe(true);
  flap(5);
  expect(log.isNews('refused')).toBe(true);
  flap(5);
  expect(log.isNews('refused')).toBe(false);
  expect(Array.from({ length: 100 }, (_, n) => log.isNews(`${n}`)).filter(Boolean)).toHaveLength(15);
});
