/** The configuration: defaults, environment, messages, and the example file. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { hostDevice } from './config.js';
import { ConfigError } from './config-error.js';
import { type KeyNode, schemaKeys } from './config-keys.js';
import { parseConfig } from './config-load.js';
import { deviceNames } from './source/generate.js';

const MINIMAL = 'agent_id: gw-1\ndata_dir: /var/lib/x\nsource: {type: host}\n';

function messageOf(text: string, environment = {}, settings: string[] = []): string {
  try {
    parseConfig(text, environment, settings);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
}

/** The names of all keys, but for those of formats: native/FORMATS.md tells them. */
function keysOf(node: KeyNode): string[] {
  const shapes = [...(node.oneOf ?? []), ...(node.anyOf ?? []), ...(node.items ? [node.items] : [])];
  const own = Object.entries(node.properties ?? {});
  return [
    ...own.flatMap(([key, inner]) => (key === 'format' ? [key] : [key, ...keysOf(inner)])),
    ...shapes.flatMap(keysOf),
  ];
}

describe('parseConfig', () => {
  it('fills in the classic defaults and freezes the result', () => {
    const config = parseConfig(MINIMAL);
    expect(config).toMatchObject({
      mqtt: { url: 'mqtt://127.0.0.1:1883' },
      window_size_seconds: 30,
      contamination: 0.1,
      publish_records: 'anomalous',
      spool: { max_bytes: 268_435_456, segment_bytes: 4_194_304 },
      sources: [{ type: 'host', interval_seconds: 1, proc_root: '/proc' }],
    });
    const source = config.sources[0]!;
    expect(source.type === 'host' && source.device_id).toBeTruthy();
    expect([config, config.mqtt, config.sources, source].every(Object.isFrozen)).toBe(true);
  });

  it('lets the environment win over the file', () => {
    const environment = {
      LINEHERON_MQTT_URL: 'mqtt://broker:1884',
      LINEHERON_MQTT_PASSWORD: '12345',
      LINEHERON_WINDOW_SIZE_SECONDS: '60',
      LINEHERON_SPOOL_MAX_BYTES: '33554432',
      LINEHERON_HTTP_PORT: '8001',
    };
    expect(parseConfig(`${MINIMAL}window_size_seconds: 10\n`, environment)).toMatchObject({
      mqtt: { url: 'mqtt://broker:1884', password: '12345' },
      window_size_seconds: 60,
      spool: { max_bytes: 33_554_432 },
    });
    expect(messageOf(MINIMAL, { LINEHERON_CONTAMINATION: '0.9' })).toMatch(/^contamination: /);
  });

  it('lets settings win over the environment, in lists and sources too', () => {
    const environment = { LINEHERON_WINDOW_SIZE_SECONDS: '60', LINEHERON_METRICS_PORT: '9464' };
    const settings = [
      'window_size_seconds=20',
      'mqtt.username=12',
      'source.interval_seconds=5',
      'labels.site=Pier',
    ];
    expect(parseConfig(MINIMAL, environment, settings)).toMatchObject({
      window_size_seconds: 20,
      mqtt: { username: '12' },
      metrics: { port: 9464 },
      labels: { site: 'Pier' },
      sources: [{ type: 'host', interval_seconds: 5 }],
    });
    expect(messageOf(MINIMAL, {}, ['window_size=3'])).toMatch(/did you mean "window_size_seconds"/);
    expect(messageOf(MINIMAL, {}, ['seed'])).toMatch(/^--set seed: must look like/);
    expect(messageOf(MINIMAL, {}, ['mqtt.password:hunter2'])).toMatch(
      /^--set mqtt\.password…: must look like/,
    );
    expect(messageOf(MINIMAL, {}, ['__proto__.x=1'])).toMatch(/__proto__: unknown key/);
  });

  it('never repeats what stands near a fault in YAML, for a secret may stand there', () => {
    const message = messageOf('mqtt:\n  password: "hunter2\n  url: x\n');
    expect(message).toMatch(/^not valid YAML: .* at line \d+, column \d+$/);
    expect(message).not.toMatch(/hunter2/);
    expect(messageOf(`${MINIMAL}mqtt: {password: [hunter2]}\n`)).toBe('mqtt.password: must be text');
  });

  it.each([
    '*hunter2',
    '|hunter2',
    '!hunter2',
    '!hunter2 x',
    '!h!hunter2 x',
    '"\\uhunter2"',
    '{a: *hunter2}',
  ])('does not take the password %s for YAML of its own, and does not repeat it', (password) => {
    const warn = vi.spyOn(process, 'emitWarning');
    const message = messageOf(`${MINIMAL}mqtt:\n  password: ${password}\n`);
    expect(message).toMatch(/^not valid YAML: [A-Z].{10}/);
    expect(message).not.toMatch(/hunter2|\n/);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([
    ["mqtt: 'mqtt://joe:hunter2@host'", 'mqtt: must be keys and values'],
    ['mqtt: [{password: hunter2}]', 'mqtt: must be keys and values'],
    ['labels: [joe@hunter2]', 'labels: must be keys and values'],
    ['channels: joe@hunter2', 'channels: must be a list: write […]'],
  ])('does not repeat a secret in the place of something else: %s', (text, message) => {
    expect(messageOf(`${MINIMAL}${text}\n`)).toBe(message);
  });

  it.each([
    ['a key that nobody knows', `${MINIMAL}moonphase: 3\n`, /^moonphase: unknown key$/],
    ['a key as every object has it', `${MINIMAL}constructor: 3\n`, /^constructor: unknown key$/],
    [
      'a nested key that is misspelt',
      `${MINIMAL}mqtt: {urll: x}\n`,
      /^mqtt\.urll: unknown key \(did you mean "url"\?\)$/m,
    ],
    [
      'a key in another unit',
      `${MINIMAL}window_size_ms: 15000\n`,
      /^window_size_ms: unknown key \(did you mean "window_size_seconds" in seconds: 15\?\)$/,
    ],
    [
      'a key without its unit',
      `${MINIMAL}window_size: 15\n`,
      /^window_size: unknown key \(did you mean "window_size_seconds"\?\)$/,
    ],
    [
      'a key that belongs elsewhere',
      `${MINIMAL}username: joe\n`,
      /^username: unknown key \(did you mean "mqtt\.username"\?\)$/,
    ],
    [
      'a key of a source that is misspelt',
      'agent_id: g\ndata_dir: x\nsource: {type: tail, path: [a]}\n',
      /^source\.path: unknown key \(did you mean "paths"\?\)$/m,
    ],
    [
      'a time with its unit',
      `${MINIMAL}window_size_seconds: "2 min"\n`,
      /^window_size_seconds: must be a number, found "2 min"; it is in seconds: write 120$/,
    ],
    [
      'a size with its unit',
      `${MINIMAL}spool: {max_bytes: 256 MiB}\n`,
      /^spool\.max_bytes: must be a number, found "256 MiB"; it is in bytes: write 268435456$/,
    ],
    ['a number in quotes', `${MINIMAL}seed: "7"\n`, /^seed: must be a number, found "7": write 7$/],
    [
      'a share in percent',
      `${MINIMAL}contamination: 10\n`,
      /^contamination: must be at most 0\.5, found 10: 10 % is 0\.1$/,
    ],
    [
      'a word that is nearly right',
      `${MINIMAL}log_level: warning\n`,
      /^log_level: must be one of trace, .*, found "warning" \(did you mean "warn"\?\)$/,
    ],
    [
      'an address that is none, once',
      `${MINIMAL}mqtt: {url: 'mqtt:// broker'}\n`,
      /^mqtt\.url: must look like mqtt:\/\/host:1883$/,
    ],
    [
      'a secret in the address',
      `${MINIMAL}mqtt: {url: 'mqtt://joe:hunter2@host'}\n`,
      /^mqtt\.url: must hold no name and password: there are username and password_file for them$/,
    ],
    [
      'two passwords',
      `${MINIMAL}mqtt: {password: a, password_file: b}\n`,
      /^mqtt\.password_file: give password or password_file, not both$/,
    ],
    [
      'a certificate without its key',
      `${MINIMAL}mqtt: {cert_file: a.pem}\n`,
      /^mqtt\.cert_file: cert_file and key_file belong together$/,
    ],
    ['a missing source', 'agent_id: gw-1\ndata_dir: x\n', /^source: /],
    ['an unknown source', 'agent_id: gw-1\ndata_dir: x\nsource: {type: magic}\n', /^source\.type: /],
    [
      'the reserved name',
      MINIMAL.replace('gw-1', 'fleet'),
      /^agent_id: "fleet" is reserved: choose another name$/,
    ],
    ['a name that is none', MINIMAL.replace('gw-1', 'GW/1'), /^agent_id: must be/],
    ['a port that is none', `${MINIMAL}mqtt: {url: 'mqtt://host:65536'}\n`, /^mqtt\.url: .*1 to 65535$/],
    ['port 0', `${MINIMAL}mqtt: {url: 'mqtt://[::1]:0'}\n`, /^mqtt\.url: .*1 to 65535$/],
    ['no mapping at all', '- 1\n', /top level/],
    ['broken YAML', 'a: [1\n', /^not valid YAML: /],
    [
      'a spool of one segment',
      `${MINIMAL}spool: {max_bytes: 100000, segment_bytes: 50000}\n`,
      /^spool\.max_bytes: /,
    ],
    [
      'a channel that is there already',
      `${MINIMAL}channels: [{name: latency_ms, kind: gauge}]\n`,
      /default channel/,
    ],
    [
      'a fault on an unknown device',
      'agent_id: g\ndata_dir: x\nsource: {type: generate, devices: [a], faults: [{device_id: b, type: packet_loss, start_s: 1, duration_s: 1}]}\n',
      /^source\.faults\.0\.device_id: is no device of this source$/,
    ],
  ])('says what is wrong with %s', (_name, text, pattern) => {
    expect(messageOf(text)).toMatch(pattern);
  });

  it.each([
    ['episodes', 4],
    ['none', 4],
    ['independent', 10],
  ])('simulates with anomalies %s %i devices unless told how many', (anomalies, count) => {
    const devicesOf = (rest: string) => {
      const text = `agent_id: g\ndata_dir: x\nsource: {type: generate, anomalies: ${anomalies}${rest}}\n`;
      const source = parseConfig(text).sources[0]!;
      return source.type === 'generate' ? deviceNames(source) : [];
    };
    expect(devicesOf('')).toHaveLength(count);
    expect(devicesOf(', devices: 3')).toEqual(['line-01', 'line-02', 'line-03']);
  });

  it('makes a device name of any machine name', () => {
    expect(hostDevice('router-1.lan')).toBe('router-1.lan');
    expect(hostDevice('a/b#c')).toBe('a-b-c');
    expect(hostDevice('')).toBe('this-host');
  });

  it('accepts the example file, which names every setting', async () => {
    const text = await readFile(new URL('../lineheron-agent.example.yaml', import.meta.url), 'utf8');
    const config = parseConfig(text);
    expect(config.agent_id).toBe('gw-1');
    for (const key of keysOf(schemaKeys())) {
      expect(text).toMatch(new RegExp(`(^[#\\s-]*|[{,] ?)${key}:`, 'm'));
    }
    // Every setting that is commented out must be right too.
    for (const block of text.split(/^# (?:Another source: .*|Several sources\.)$/m).slice(1)) {
      const source = block.replaceAll(/^# ?/gm, '');
      expect(parseConfig(`agent_id: g\ndata_dir: x\n${source}`).sources[0]!.type).toBeTruthy();
    }
  });
});
