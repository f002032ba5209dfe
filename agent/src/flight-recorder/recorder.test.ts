/** The flight recorder on a real disk: what it keeps, what a death leaves, what may leave the gateway. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { linesEventSchema, MAX_PACKET_BYTES } from '@lineheron/models';
import { Redactor } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../config-load.js';
import { Counters } from '../counters.js';
import { silentLog, withFolder } from '../test-support.js';
import { MAX_CLIPS } from './clips.js';
import { FlightRecorder, type FlightRecorderOptions } from './recorder.js';

const START_MS = Date.UTC(2026, 0, 1);
const MIB = 1024 * 1024;
const alertOf = (number: number) => `gw-1/0123456789abcdef/${number}/0`;

async function open(folder: string, options: Partial<FlightRecorderOptions> = {}, startMs = START_MS) {
  const world = { nowMs: startMs };
  const clock = {
    nowMs: () => world.nowMs,
    monotonicMs: () => world.nowMs,
    sleep: async () => {},
  };
  const counters = new Counters();
  const redactor = new Redactor([{ pattern: String.raw`\d+\.\d+\.\d+\.\d+`, replacement: '<ip>' }]);
  const recorder = new FlightRecorder({
    ...{ folder, maxBytes: 16 * MIB, share: true, redactor, clock, log: silentLog, counters },
    ...options,
  });
  await recorder.start();
  /** One line a second, named by its second, as a source gives them. */
  const run = async (seconds: number, text = (second: number) => `line ${second} from 10.0.0.1`) => {
    for (let step = 0; step < seconds; step++) {
      recorder.record('tail', Buffer.from(`${text((world.nowMs - START_MS) / 1000)}\n`));
      world.nowMs += 1000;
      recorder.tick();
    }
  };
  const ask = async (alert: string) => linesEventSchema.parse(await recorder.answer('r1', alert));
  return { recorder, counters, world, run, ask };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

/** Seconds that the lines name. */
const secondsOf = ({ lines }: { lines: { text: string }[] }) =>
  lines.map(({ text }) => Number(/^line (\d+)/.exec(text)?.[1]));

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const stats = await stat(join(folder, name));
    if (stats.isFile()) bytes += stats.size;
  }
  return bytes;
}

describe('FlightRecorder', () => {
  it('freezes the minute before an alert and the minute after it, redacted when it is sent', () =>
    withFolder(async (folder) => {
      const { recorder, world, run, ask } = await open(folder);
      await run(300);
      await recorder.freeze(alertOf(1));
      await run(200);
      // The ring may forget it: the clip has it.
      world.nowMs += 3_600_000;
      const answer = await ask(alertOf(1));
      expect(answer).toMatchObject({ state: 'sent', complete: true, truncated: false, alert: alertOf(1) });
      expect(secondsOf(answer)).toEqual(expect.arrayContaining(numbers(241, 359)));
      expect(Math.min(...secondsOf(answer))).toBeGreaterThanOrEqual(230);
      expect(Math.max(...secondsOf(answer))).toBeLessThanOrEqual(370);
      expect(answer.lines[0]?.text).toMatch(/^line \d+ from <ip>$/);
      expect(answer.redactions).toBe(answer.lines.length);
      await recorder.stop();
    }));

  it('gives what there is while the minute after is not over, and says so', () =>
    withFolder(async (folder) => {
      const { recorder, run, ask } = await open(folder);
      await run(30);
      await recorder.freeze(alertOf(1));
      await run(10);
      const answer = await ask(alertOf(1));
      expect(answer.complete).toBe(false);
      expect(secondsOf(answer)).toEqual(numbers(0, 40));
      await recorder.stop();
    }));

  it('sends nothing unless the configuration shares it, and says where that is set', () =>
    withFolder(async (folder) => {
      const { recorder, counters, run, ask } = await open(folder, { share: false });
      await run(10);
      await recorder.freeze(alertOf(1));
      const answer = await ask(alertOf(1));
      expect(answer).toMatchObject({ state: 'refused', lines: [] });
      expect(answer.message).toMatch(/flight_recorder\.share is off/);
      expect(counters.get('recorder_requests_refused')).toBe(1);
      await recorder.stop();
    }));

  it('has nothing of an alert that it does not know', () =>
    withFolder(async (folder) => {
      const { recorder, run, ask } = await open(folder);
      await run(5);
      expect(await ask(alertOf(7))).toMatchObject({ state: 'missing', lines: [] });
      await recorder.stop();
    }));

  it('completes after a kill -9 in the midst of a clip what the ring still has, and removes half-written files', () =>
    withFolder(async (folder) => {
      const before = await open(folder);
      await before.run(100);
      await before.recorder.freeze(alertOf(1));
      await before.run(20);
      await before.recorder.freeze(alertOf(1));
      // Killed: no stop. What lay in memory is gone, and a file was being written.
      await writeFile(join(folder, 'clips', '000000000000001.clip.123.tmp'), 'half');
      const after = await open(folder, {}, START_MS + 130_000);
      await after.run(100);
      const answer = await after.ask(alertOf(1));
      expect(answer).toMatchObject({ state: 'sent', complete: true });
      expect(secondsOf(answer)).toEqual(expect.arrayContaining([...numbers(41, 114), ...numbers(130, 155)]));
      expect(new Set(secondsOf(answer)).size).toBe(answer.lines.length);
      expect((await readdir(join(folder, 'clips'))).every((name) => name.endsWith('.clip'))).toBe(true);
      await after.recorder.stop();
    }));

  it('starts on files cut at any length or with any bit flipped, and hands out nothing damaged', () =>
    withFolder(async (folder) => {
      const first = await open(folder);
      await first.run(12);
      await first.recorder.freeze(alertOf(1));
      await first.recorder.stop();
      const [clip] = await readdir(join(folder, 'clips'));
      const path = join(folder, 'clips', clip!);
      const whole = await readFile(path);
      const flipped = (at: number) => {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= 1 << (at % 8);
        return bytes;
      };
      for (let at = 0; at < whole.length; at += 3) {
        for (const bytes of [whole.subarray(0, at), flipped(at)]) {
          await writeFile(path, bytes);
          const { recorder, counters, ask } = await open(folder, {}, START_MS + 12_000);
          const answer = await ask(alertOf(1));
          for (const { text } of answer.lines) expect(text).toMatch(/^line \d+ from <ip>$/);
          expect(counters.get('recorder_errors')).toBe(0);
          await recorder.stop();
        }
        await writeFile(path, whole);
      }
    }));

  it('stays within its bytes and its clips, and a storm of alerts shares one', () =>
    withFolder(async (folder) => {
      const { recorder, world, run } = await open(folder, { maxBytes: MIB });
      const noise = () => Array.from({ length: 300 }, () => Math.random().toString(36)).join('');
      for (let number = 1; number <= MAX_CLIPS + 20; number++) {
        await run(10, noise);
        await recorder.freeze(alertOf(number));
        world.nowMs += 70_000;
      }
      await recorder.stop();
      expect(await bytesIn(folder)).toBeLessThanOrEqual(1.1 * MIB);
      const clips = (await readdir(join(folder, 'clips'))).length;
      expect(clips).toBeLessThanOrEqual(MAX_CLIPS);
      const again = await open(folder, {}, world.nowMs);
      for (let number = 1000; number < 1100; number++) await again.recorder.freeze(alertOf(number));
      expect((await readdir(join(folder, 'clips'))).length).toBeLessThanOrEqual(clips + 1);
      expect(await again.ask(alertOf(1099))).toMatchObject({ state: 'sent' });
      await again.recorder.stop();
    }));

  it('fits an answer into a packet, with what is nearest to the alert', () =>
    withFolder(async (folder) => {
      const { recorder, run, ask } = await open(folder);
      const long = (second: number) => `line ${second} ${'"\u0000'.repeat(9_000)}`;
      await run(100, long);
      await recorder.freeze(alertOf(1));
      const answer = await ask(alertOf(1));
      expect(answer.truncated).toBe(true);
      expect(JSON.stringify(answer).length).toBeLessThan(MAX_PACKET_BYTES);
      expect(Math.max(...secondsOf(answer))).toBe(99);
      await recorder.stop();
    }));

  it('passes over what comes faster than it may write, counted', () =>
    withFolder(async (folder) => {
      const { recorder, counters } = await open(folder);
      for (let step = 0; step < 20; step++) recorder.record('tail', Buffer.alloc(MIB, 'x'));
      expect(counters.get('recorder_bytes_passed_over')).toBe(16 * MIB);
      await recorder.stop();
    }));

  it('stays off, counted, where its folder cannot be made, and harms nobody', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'file'), '');
      const { recorder, counters, run, ask } = await open(join(folder, 'file'));
      await run(10);
      await recorder.freeze(alertOf(1));
      expect(counters.get('recorder_errors')).toBeGreaterThan(0);
      expect(await ask(alertOf(1))).toMatchObject({ state: 'missing' });
      await recorder.stop();
    }));
});

describe('what is taken out unless the configuration says otherwise', () => {
  const { flight_recorder } = parseConfig('agent_id: gw-1\ndata_dir: x\nsource: {type: host}\n');
  const redactor = new Redactor(flight_recorder.redact);

  it.each([
    ['DHCPACK(br-lan) 192.168.1.23 aa:bb:cc:0d:ee:ff phone', 'DHCPACK(br-lan) <ip> <mac> phone'],
    [
      'MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC=10.0.0.7 LEN=40',
      'MAC=<mac>:<mac>:08:00 SRC=<ip> LEN=40',
    ],
    ['Host 0011.22aB.4455 moved to Gi0/1', 'Host <mac> moved to Gi0/1'],
    ['T3 time-out;CM-MAC=00-11-22-33-44-55;CM-VER=3.0;', 'T3 time-out;CM-MAC=<mac>;CM-VER=3.0;'],
    ['peer 2001:db8:1::5 down, fe80::a11:96ff:fe0d:1%eth0 up', 'peer <ip> down, <ip>%eth0 up'],
    ['from 2001:0db8:85a3:0000:0000:8a2e:0370:7334 port 22', 'from <ip> port 22'],
    ['status=deferred to=<jo.e+x@mail.example.org>', 'status=deferred to=<<mail>>'],
    [
      'Nov 26 10:00:00 gw pppd[17]: rate 1.5 Mbit, 10:00:01 up',
      'Nov 26 10:00:00 gw pppd[17]: rate 1.5 Mbit, 10:00:01 up',
    ],
  ])('%s', (line, redacted) => {
    expect(redactor.redact(line).text).toBe(redacted);
  });
});
