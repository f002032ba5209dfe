/** When an agent says that it does not understand its lines, what it says, and that none of their text leaves. */
import { refusedSourceSchema } from '@lineheron/models';
import type { Engine } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { parseConfig } from './config-load.js';
import { pushLines } from './engine-lines.js';
import { addFormat, buildEngine, buildRefusalWatch } from './parts.js';
import type { WatchedSource } from './refusal-watch.js';

const MINUTE_MS = 60_000;
const SYSLOG = (at: number) =>
  `<30>Nov 30 12:00:${String(at % 60).padStart(2, '0')} gw-7 dnsmasq[41]: query from 192.0.2.5\n`;
const GOOD = '{"device_id":"m1","latency_ms":3}\n';

/** An engine, its watch, and all that was logged; time moves by hand. */
function watched(source: object = { type: 'tail', paths: ['/var/log/a'] }) {
  const config = parseConfig(JSON.stringify({ agent_id: 'gw-1', data_dir: '/d', source }));
  const engine = buildEngine(config);
  const time = { ms: 0 };
  const clock = { nowMs: () => Date.UTC(2026, 10, 30, 13) + time.ms, monotonicMs: () => time.ms };
  const said: { level: string; text: string; [key: string]: unknown }[] = [];
  const say = (level: string) => (fields: unknown, text?: string) => {
    said.push({ level, text: String(text), ...(fields as object) });
  };
  const log = { debug: () => {}, info: say('info'), warn: say('warn'), error: say('error') };
  let changes = 0;
  const watch = buildRefusalWatch(config, engine, {
    clock,
    log: log as never,
    onChange: () => {
      changes += 1;
    },
  });
  const sourceOf = (): WatchedSource => ({
    name: 'tail',
    format: addFormat(engine, config.sources[0]!),
    config: config.sources[0]!,
  });
  let feed = sourceOf();
  return {
    said,
    watch,
    time,
    changes: () => changes,
    renew: () => {
      feed = sourceOf();
    },
    push: (text: string, again: Pick<Engine, 'push'> = engine) => {
      const bytes = Buffer.from(text);
      pushLines(again, { bytes, emit: true, format: feed.format }, clock.nowMs());
      watch.pushed(feed, bytes);
    },
  };
}

const times = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at));

describe('RefusalWatch', () => {
  it('tells reason, remedy and a redacted line once ten lines are refused, and then nothing for an hour', () => {
    const { push, said, watch, time } = watched();
    for (const line of times(9, SYSLOG)) push(line);
    expect(said).toEqual([]);
    for (const line of times(200, SYSLOG)) {
      push(line);
      time.ms += 10_000;
    }
    expect(said).toHaveLength(1);
    expect(said[0]).toMatchObject({
      level: 'warn',
      text: '10 of the last 10 lines of tail are refused: the line is not JSON',
      source: 'tail',
      code: 'invalid_json',
      remedy: 'syslog understands 10 of 10 lines: set "format: syslog"',
      sample: '<30>Nov 30 12:00:02 gw-7 dnsmasq[41]: query from <ip>',
    });
    time.ms += 60 * MINUTE_MS;
    push(SYSLOG(1));
    expect(said).toHaveLength(2);
    expect(watch.view()).toEqual([
      expect.objectContaining({
        code: 'invalid_json',
        reason: 'the line is not JSON',
        since: expect.any(String),
      }),
    ]);
    expect(refusedSourceSchema.safeParse(watch.view()[0]).error).toBeUndefined();
  });

  it('tells fewer lines, all of them refused, after half a minute', () => {
    const { push, said, watch, time } = watched();
    push(SYSLOG(1));
    watch.tick();
    expect(said).toEqual([]);
    time.ms += 30_000;
    watch.tick();
    expect(said.map(({ text }) => text)).toEqual([
      '1 of the last 1 lines of tail are refused: the line is not JSON',
    ]);
  });

  it('tells another main reason, and when the lines are understood again', () => {
    const { push, said, watch, time, changes } = watched();
    for (const line of times(20, SYSLOG)) push(line);
    time.ms += MINUTE_MS;
    for (let at = 0; at < 100; at++) push('{"latency_ms":3}\n');
    expect(said.map(({ code }) => code)).toEqual(['invalid_json', 'missing_device']);
    expect(said[1]!.remedy).toMatch(/device_id: my-modem/);
    time.ms += MINUTE_MS;
    for (let at = 0; at < 70; at++) push(GOOD);
    expect(said.at(-1)).toMatchObject({ level: 'info', text: expect.stringMatching(/understood again/) });
    expect(said).toHaveLength(3);
    expect(watch.view()).toEqual([]);
    expect(changes()).toBe(3);
  });

  it('does not flap where half of the lines are refused, and says nothing where few are', () => {
    const { push, said, time } = watched();
    for (let at = 0; at < 2_000; at++) {
      push(at % 2 === 0 ? GOOD : '?\n');
      time.ms += 1_000;
    }
    expect(said.length).toBeLessThanOrEqual(1);
    const few = watched();
    for (let at = 0; at < 500; at++) few.push(at % 5 === 0 ? '?\n' : GOOD);
    expect(few.said).toEqual([]);
  });

  it('begins its counts anew with a source that is read in another way, and forgets one that is gone', () => {
    const { push, said, renew, watch } = watched();
    for (const line of times(50, SYSLOG)) push(line);
    renew();
    for (let at = 0; at < 10; at++) push(GOOD);
    expect(said.map(({ level }) => level)).toEqual(['warn', 'info']);
    for (const line of times(50, SYSLOG)) push(line);
    watch.retain([]);
    expect(watch.view()).toEqual([]);
  });

  it('sends no word of the lines away, not even the names of their keys', () => {
    const { push, said, watch } = watched();
    for (let at = 0; at < 20; at++)
      push('{"time":"2026-11-30T12:00:00Z","host":"secret-host","rtt_ms":"3","latency_ms":{}}\n');
    expect(said[0]!.sample).toMatch(/secret-host/);
    expect(JSON.stringify(watch.view())).not.toMatch(/secret|rtt_ms/);
  });
});
