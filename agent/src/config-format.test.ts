import { Engine } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type FormatConfig, formatDefinition, formatSchema, machineZone } from './config-format.js';

const ARRIVAL_MS = Date.UTC(2026, 10, 22, 12);

/** Reads lines by a format as the configuration has it. */
function read(format: unknown, lines: string[], zone = 'UTC') {
  const engine = new Engine({
    publishRecords: 'all',
    channels: [{ name: 'snr_db', unit: 'dB', kind: 'gauge' }],
  });
  const id = engine.addFormat(formatDefinition(formatSchema.parse(format), zone));
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const { records } = engine.push(bytes, ARRIVAL_MS, true, id, 'source-device');
  return { records, counters: engine.counters() };
}

const FORMATS: [string, unknown, string, Record<string, unknown>][] = [
  ['canonical', 'canonical', '{"device_id":"a","latency_ms":5}', { device: 'a' }],
  [
    'json',
    {
      type: 'json',
      fields: { latency_ms: { from: 'net.rtt', unit: 's' }, snr_db: { from: 'snr', unit: '0.1 dB' } },
    },
    '{"net":{"rtt":0.5},"snr":371}',
    { device: 'source-device', values: [500, null, null, null, null, 37.1] },
  ],
  [
    'logfmt',
    { type: 'logfmt', device_id: 'mine', fields: { packet_loss_pct: { from: 'loss', unit: 'ratio' } } },
    'loss=0.25 up host="a b"',
    { device: 'mine', values: [null, 25, null, null, null, null] },
  ],
  [
    'csv',
    {
      type: 'csv',
      columns: ['at', 'dev', 'rtt'],
      fields: { timestamp: 'at', device_id: 'dev', latency_ms: 'rtt' },
    },
    '2026-11-22 11:59:00,"x",7',
    { device: 'x', timestampMs: ARRIVAL_MS - 60_000 },
  ],
  [
    'csv with a decimal comma',
    {
      type: 'csv',
      columns: ['rtt', 'tx', 'rx'],
      delimiter: ';',
      decimal: ',',
      missing: [-1],
      fields: { latency_ms: 'rtt', packet_loss_pct: { sent: 'tx', received: 'rx' } },
    },
    '-1;3;0',
    { values: [null, 100, null, null, null, null] },
  ],
  [
    'text',
    {
      type: 'text',
      patterns: [{ pattern: 'rtt (?P<r>\\d+)', fields: { latency_ms: 'r' }, set: { retry_count: 2 } }],
    },
    'the rtt 12 was seen',
    { values: [12, null, 2, null, null, null] },
  ],
  ['events', 'events', 'eth0: link down', { errorCode: 'link-down' }],
  [
    'syslog',
    { type: 'syslog', timezone: 'Europe/Berlin' },
    "Nov 22 12:59:00 gw netifd: Interface 'wan' is now down",
    { device: 'gw', errorCode: 'interface-down', timestampMs: ARRIVAL_MS - 60_000 },
  ],
  [
    'syslog around json',
    { type: 'syslog', message: { type: 'json', fields: { latency_ms: 'rtt' } } },
    '<30>Nov 22 11:59:00 gw probe[1]: {"rtt":3}',
    { device: 'gw', values: [3, null, null, null, null, null] },
  ],
  [
    'cisco',
    { type: 'cisco', device_id: 'leaf1' },
    'LC/0/0/CPU0:Nov 22 11:59:00.5 : ifmgr[1]: %PKT_INFRA-LINK-3-UPDOWN : Interface X, changed state to Down',
    { device: 'leaf1', errorCode: 'PKT_INFRA-LINK-3-UPDOWN' },
  ],
  [
    'docsis',
    'docsis',
    '2026-11-22 11:59:00\t3\tNo Ranging Response received - T3 time-out',
    { errorCode: 'T3-timeout', device: 'source-device' },
  ],
];

const NAMED: [string, unknown, string, Record<string, unknown>][] = [
  ['ping', 'ping', '64 bytes from 192.0.2.1: icmp_seq=1 ttl=57 time=12.3 ms', { device: '192.0.2.1' }],
  [
    'fping',
    { type: 'fping', device_id: 'x' },
    '192.0.2.1 : [1], timed out',
    { device: 'x', errorCode: 'no-answer' },
  ],
  [
    'ping in syslog',
    { type: 'syslog', message: 'ping' },
    '<30>Nov 22 11:59:00 gw ping[1]: 64 bytes from 192.0.2.1: seq=1 ttl=5 time=2 ms',
    { values: [2, 0, null, null, null, null] },
  ],
  [
    'mtr',
    'mtr',
    '{"report":{"mtr":{"dst":"192.0.2.9"},"hubs":[{"host":"???","Loss%":100.0,"Avg":0.0}]}}',
    { device: '192.0.2.9', values: [null, 100, null, null, null, null] },
  ],
  [
    'speedtest',
    'speedtest',
    '{"error":"Cannot open socket"}',
    { errorCode: 'speedtest-failed', values: [null, 100, null, null, null, null] },
  ],
  [
    'journal',
    'journal',
    '{"_HOSTNAME":"gw","SYSLOG_IDENTIFIER":"kernel","MESSAGE":"eth0: link down"}',
    { device: 'gw', errorCode: 'link-down' },
  ],
  [
    'a message in json',
    { type: 'json', fields: { message: 'msg', program: 'app' } },
    '{"app":"kernel","msg":"eth0: link down"}',
    { errorCode: 'link-down' },
  ],
];

describe('a format in the configuration', () => {
  it.each([...FORMATS, ...NAMED])(
    '%s is taken by the engine and reads its lines',
    (_, format, line, expected) => {
      const { records, counters } = read(format, [line]);
      expect(counters.refused).toEqual({});
      expect(records).toHaveLength(1);
      expect(records[0]).toMatchObject(expected);
    },
  );

  it('leaves out and counts a value that is none, and keeps the rest of its line', () => {
    const fields = { latency_ms: 'rtt', packet_loss_pct: 'loss', device_id: 'dev' };
    const { records, counters } = read({ type: 'json', fields }, ['{"rtt":-5,"loss":100,"dev":"Gi0/1"}']);
    expect(records[0]).toMatchObject({ device: 'Gi0_1', values: [null, 100, null, null, null, null] });
    expect(counters.refusedValues).toEqual({ negative: 1 });
  });

  it('makes a record of each object in a document, over several lines or in one longer than others may be', () => {
    const format = { type: 'json', fields: { latency_ms: 'r' } };
    expect(read(format, ['[', '  {"r": 1},', '  {', '    "r": 2', '  }', ']']).records).toHaveLength(2);
    const long = `[${Array.from({ length: 20_000 }, (_, r) => `{"r":${r}}`).join(',')}]`;
    expect(read({ ...format, type: 'json' }, [long]).records).toHaveLength(20_000);
    const inside = { ...format, records: 'data.list' };
    expect(read(inside, ['{"data":{"list":[{"r":1},{"r":2}]}}']).records).toHaveLength(2);
  });

  it('reads times without an offset in the zone of this machine unless it says otherwise', () => {
    const line = 'Nov 22 21:00:00 gw a: b';
    expect(read('syslog', [line], 'Asia/Tokyo').records[0]?.timestampMs).toBe(ARRIVAL_MS);
    expect(new Engine({}).addFormat(formatDefinition('syslog', machineZone()))).toBe(1);
  });

  it.each([
    ['an unknown name', 'yaml'],
    ['an unknown type', { type: 'yaml' }],
    ['an unknown key', { type: 'json', fields: { latency_ms: 'a' }, feilds: {} }],
    ['an unknown key of a field', { type: 'json', fields: { latency_ms: { from: 'a', units: 's' } } }],
    ['no fields', { type: 'json', fields: {} }],
    ['both columns and header', { type: 'csv', fields: { latency_ms: 'a' }, columns: ['a'], header: true }],
    ['neither columns nor header', { type: 'csv', fields: { latency_ms: 'a' } }],
    ['an envelope in an envelope', { type: 'syslog', message: 'syslog' }],
    ['a loss without its second count', { type: 'json', fields: { packet_loss_pct: { sent: 'a' } } }],
    ['another decimal sign', { type: 'json', decimal: ';', fields: { latency_ms: 'a' } }],
    ['no date', { type: 'syslog', clock_valid_from: 'soon' }],
    ['a device that cannot stand in a topic', { type: 'syslog', device_id: 'a/b' }],
  ])('is refused with %s', (_, format) => {
    expect(formatSchema.safeParse(format).success).toBe(false);
  });

  it.each<[FormatConfig, RegExp]>([
    [
      { type: 'json', timezone: 'local', fields: { latency_ms: { from: 'a', unit: 'MB' } } },
      /latency_ms\.unit/,
    ],
    [{ type: 'json', timezone: 'local', fields: { speed: 'a' } }, /format\.fields\.speed/],
    [
      { type: 'text', timezone: 'local', patterns: ['fine', '(a'] },
      /patterns\[1\]\.pattern.*unclosed group/s,
    ],
    [{ type: 'syslog', timezone: 'Mars/Olympus' }, /format\.timezone: unknown time zone/],
  ])('is refused by the engine where only it can tell', (format, message) => {
    expect(() => new Engine({}).addFormat(formatDefinition(format, 'UTC'))).toThrow(message);
  });

  it('has a JSON Schema', () => {
    expect(JSON.stringify(z.toJSONSchema(formatSchema, { io: 'input' }))).toContain('"docsis"');
  });
});
