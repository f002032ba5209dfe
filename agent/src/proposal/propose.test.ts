/** Which format is proposed for lines of every kind, what is said of it, and what is said where none fits. */
import { describe, expect, it } from 'vitest';
import { formatSchema } from '../config-format.js';
import { NAMED_FORMATS } from './candidates.js';
import { propose, sampleOf } from './propose.js';
import { remedyFor } from './remedy.js';
import { describeYourself, detailText, exampleText, formatText, shareText } from './words.js';

const AROUND = { nowMs: Date.UTC(2026, 10, 30, 13, 0, 0, 137), zone: 'UTC' };
const found = (...lines: string[]) => propose(Buffer.from(`${lines.join('\n')}\n`), AROUND);
const many = (count: number, line: (at: string) => string) =>
  Array.from({ length: count }, (_, at) => line(String(at).padStart(2, '0')));

const SYSLOG = many(
  10,
  (at) => `<30>Nov 30 12:00:${at} gw-7 dnsmasq[41]: query[A] example.net from 192.0.2.5`,
);
const LOGREAD = many(
  6,
  (at) => `Fri Nov 20 10:${at}:00 2026 daemon.notice netifd: Interface 'wan' is now up`,
);
const DOCSIS_TABS = [
  '2026-11-20 06:00:00\t2026-11-20 06:18:37\t1\t3\t82000200\tNo Ranging Response received - T3 time-out',
  '2026-11-20 06:10:00\t2026-11-20 06:10:00\t1\t3\t84000500\tSYNC Timing Synchronization failure',
];
const CANONICAL = many(5, (at) => `{"timestamp":"2026-11-30T12:00:${at}Z","device_id":"m1","latency_ms":3}`);

describe('propose', () => {
  it.each([
    ['syslog with a host', SYSLOG, 'syslog'],
    ['what logread prints', LOGREAD, 'syslog'],
    ["a modem's page by tabs", DOCSIS_TABS, 'docsis'],
    ['our own JSON', CANONICAL, 'canonical'],
    [
      'JSON of others',
      ['{"time":"2026-11-30T12:00:00Z","host":"a","rtt_ms":3}'],
      '{type: json, fields: {timestamp: time, device_id: host, latency_ms: rtt_ms}}',
    ],
    [
      'JSON without a device',
      ['{"timestamp":"2026-11-30T12:00:00Z","latency_ms":3}'],
      '{type: json, fields: {timestamp: timestamp, latency_ms: latency_ms}}',
    ],
    [
      'rows with a header',
      ['timestamp;device;latency_ms', ...many(20, (at) => `2026-11-30T12:00:${at}Z;a;3`)],
      '{type: csv, fields: {timestamp: timestamp, device_id: device, latency_ms: latency_ms}, header: true, delimiter: ;}',
    ],
    [
      'logfmt',
      many(3, (at) => `ts=2026-11-30T12:00:${at}Z host=a rtt_ms=3`),
      '{type: logfmt, fields: {timestamp: ts, device_id: host, latency_ms: rtt_ms}}',
    ],
  ])('proposes the format of %s without doubt', (_name, lines, format) => {
    const { best, sure } = found(...lines);
    expect(best && formatText(best.format)).toBe(format);
    expect(sure).toBe(true);
    // What is proposed can be written into a configuration.
    expect(formatSchema.safeParse(best!.format).success).toBe(true);
  });

  it.each([
    [
      'free text',
      ['hello world', 'the quick brown fox', 'something at noon'],
      /describe the lines by patterns/,
    ],
    [
      'JSON without known names',
      ['{"foo":1,"bar":"a"}'],
      /JSON objects with the keys foo, bar: say which are ours/,
    ],
    [
      'rows of unknown names',
      ['time,host,rtt', '2026-11-30T12:00:00Z,a,3', '2026-11-30T12:00:01Z,a,3'],
      /rows with the columns time, host, rtt: .*type: csv, header: true/,
    ],
    ['no lines', [''], /no lines to look at yet/],
    ['what is no text', ['\u0000\u0001\u0002', '\u0000'], /no text, or text of another encoding/],
  ])('proposes nothing for %s and says what to do', (_name, lines, expected) => {
    const proposals = found(...lines);
    expect(proposals.best).toBeNull();
    expect(proposals.sure).toBe(false);
    expect(describeYourself(proposals)).toMatch(expected);
  });

  it('tries every format that the configuration knows by name', () => {
    expect(NAMED_FORMATS).toEqual(
      expect.arrayContaining(['canonical', 'events', 'syslog', 'cisco', 'docsis']),
    );
    for (const format of NAMED_FORMATS) expect(formatSchema.safeParse(format).success).toBe(true);
  });

  it('shows what a format understands, and a record as an example', () => {
    const [first] = found(...SYSLOG).attempts;
    expect(shareText(first!)).toBe('syslog understands 10 of 10 lines');
    expect(detailText(first!)).toBe(
      'times: 10; devices: gw-7; nothing measured: the lines are counted as events',
    );
    const page = found(...DOCSIS_TABS).best!;
    expect(detailText(page)).toMatch(
      /no device named; measured: retry_count.*; errors: T3-timeout, sync-lost/,
    );
    expect(exampleText(page.example!)).toBe(
      '2026-11-20T06:18:37.000Z · (no device) · retry_count 1 · error T3-timeout',
    );
  });

  it('takes a date where a host would stand for no device, and a line that the engine takes anyhow for nothing', () => {
    const syslog = found(...DOCSIS_TABS).attempts.find(({ format }) => format === 'syslog');
    expect(syslog?.devices ?? []).toEqual([]);
    expect(found('hello', 'world').attempts).toEqual([]);
  });

  it('takes half a page of noise before the lines, and doubts it', () => {
    const { best, sure } = found('Event log', 'Modem 12', 'please wait', ...SYSLOG.slice(0, 6));
    expect(best?.format).toBe('syslog');
    expect(sure).toBe(false);
  });

  it('looks at whole lines of a bounded front of what was read', () => {
    const line = `${CANONICAL[0]}\n`;
    const sample = sampleOf(Buffer.from(line.repeat(2_000)));
    expect(sample.length).toBe(500 * line.length);
    expect(sampleOf(Buffer.from(`${line}{"half`)).toString()).toBe(line);
    expect(sampleOf(Buffer.from('one line without an end')).toString()).toBe('one line without an end\n');
    expect(sampleOf(Buffer.alloc(1_000_000, 'x')).length).toBe(0);
  });
});

describe('remedyFor', () => {
  it('names another format, and where no line may leave only how to see it', () => {
    expect(remedyFor('invalid_json', found(...SYSLOG), 'canonical')).toEqual({
      here: 'syslog understands 10 of 10 lines: set "format: syslog"',
      anywhere: 'syslog understands 10 of 10 lines: set "format: syslog"',
    });
    const guess = remedyFor('missing_device', found('{"secret":1}'), 'canonical');
    expect(guess.here).toMatch(/device_id: my-modem/);
    const json = remedyFor('no_envelope', found('{"time":"2026-11-30T12:00:00Z","rtt_ms":3}'), 'syslog');
    expect(json.here).toMatch(/set "format: \{type: json/);
    expect(json.anywhere).toMatch(/run "lineheron-agent doctor"/);
  });

  it('speaks of the field, not of another format, where a value is wrong', () => {
    const line = '{"device_id":"m1","latency_ms":-1}';
    expect(remedyFor('negative', found(line), 'canonical').here).toMatch(/unit and scale/);
  });
});
