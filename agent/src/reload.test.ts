/** SIGHUP in mid-stream against a real broker: what changes, what stays, and that no record is lost or doubled. */
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { topics } from '@lineheron/models';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Started, startProgram, stopProgram } from './test-agent.js';
import { TestBroker } from './test-broker.js';
import { until, withFolder } from './test-support.js';

const AGENT = 'gw-1';
const START_MS = Date.UTC(2026, 0, 1);
const SECRETS = ['hunter-one', 'hunter-two', 'hunter-three'];

let broker: TestBroker;
let agent: Started | null = null;

beforeEach(async () => {
  broker = await TestBroker.start(AGENT, (name, password) => name === '' || SECRETS.includes(password));
});

afterEach(async () => {
  if (agent) await stopProgram(agent, 'SIGKILL');
  agent = null;
  await broker.stop();
});

const timeOf = (second: number) => new Date(START_MS + second * 1000).toISOString();
const linesOf = (from: number, to: number, device = 'm1') =>
  Array.from(
    { length: to - from },
    (_, index) =>
      `${JSON.stringify({ timestamp: timeOf(from + index), device_id: device, latency_ms: 20 })}\n`,
  ).join('');

/** As editors do: nobody reads half of it. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function configured(folder: string, rest: object): Promise<string> {
  const path = join(folder, 'agent.yaml');
  const source = { type: 'tail', paths: [join(folder, 'line.log')], from: 'start' };
  const mqtt = { url: broker.url };
  const config = {
    agent_id: AGENT,
    data_dir: join(folder, 'data'),
    publish_records: 'all',
    mqtt,
    source,
    ...rest,
  };
  await replace(path, JSON.stringify(config));
  return path;
}

it('takes over a new configuration in mid-stream: every record arrives once, and a bad one changes nothing', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'line.log');
    await writeFile(file, linesOf(0, 100));
    const path = await configured(folder, {});
    agent = startProgram(['run', '--config', path]);
    await until('the first records', () => broker.records.length >= 100);
    const texts = () => agent?.text() ?? '';

    const changed = { labels: { site: 'Pier' }, log_level: 'debug', window_size_seconds: 60 };
    await configured(folder, {
      ...changed,
      mqtt: { url: broker.url, username: 'joe', password: SECRETS[0] },
    });
    for (let second = 100; second < 400; second += 10) {
      await appendFile(file, linesOf(second, second + 10));
      if (second % 100 === 0) agent.process.kill('SIGHUP');
    }
    await until('the news of it', () => texts().includes('the configuration was read again'));
    await until('the label', () => broker.texts.some((text) => text.includes('"site":"Pier"')));
    expect(texts()).toMatch(/"changed":\["labels\.site","log_level","mqtt\.password","mqtt\.username"\]/);
    expect(texts()).toMatch(/"keys":\["window_size_seconds"\].*need a restart/);

    await replace(path, 'agent_id: gw-1\nsed: 1\n');
    agent.process.kill('SIGHUP');
    await until('the refusal', () => /sed: unknown key \(did you mean .*seed/.test(texts()));
    expect(texts()).toContain('the new configuration is refused: going on with the old one');
    await appendFile(file, linesOf(400, 450));
    await until('all records', () => broker.records.length >= 450);
    expect(await stopProgram(agent)).toBe(0);
    expect(broker.records.sort()).toEqual(Array.from({ length: 450 }, (_, second) => `m1 ${timeOf(second)}`));
    const status = broker.texts.filter((text) => text.startsWith(topics.status(AGENT)));
    expect(status.at(-1)).toMatch(/offline$/);
  }));

it(
  'reads other sources from a SIGHUP on: none loses or doubles a record, no window loses one, and a restart agrees',
  () =>
    withFolder(async (folder) => {
      const at = (name: string) => join(folder, name);
      const tail = (name: string, rest: object = {}) => ({
        ...{ type: 'tail', name, paths: [at(name)], from: 'start' },
        ...rest,
      });
      const reading = (...sources: object[]) => configured(folder, { source: undefined, sources });
      const recordsOf = (device: string) =>
        broker.records.filter((record) => record.startsWith(`${device} `));
      const expected = (device: string, count: number) =>
        Array.from({ length: count }, (_, second) => `${device} ${timeOf(second)}`);
      for (const name of ['kept', 'changed', 'removed']) await writeFile(at(name), linesOf(0, 100, name));
      const path = await reading(tail('kept'), tail('changed'), tail('removed'));
      agent = startProgram(['run', '--config', path]);
      const texts = () => agent?.text() ?? '';
      await until('the first records', () => broker.records.length >= 300);

      await writeFile(at('added'), linesOf(0, 100, 'added'));
      await writeFile(at('beside'), linesOf(0, 100, 'beside'));
      await reading(tail('kept'), tail('changed', { paths: [at('changed'), at('beside')] }), tail('added'));
      const write = async (from: number, to: number) => {
        for (const name of ['kept', 'changed']) await appendFile(at(name), linesOf(from, to, name));
      };
      await write(100, 150);
      await until('the next records', () => broker.records.length >= 400);
      agent.process.kill('SIGHUP');
      await write(150, 152);
      await until('the news of it', () => texts().includes('the configuration was read again'));
      await write(152, 200);
      await until('all records', () => broker.records.length >= 700);
      expect(texts()).toContain('"changed":["sources.added","sources.changed","sources.removed"]');
      expect(texts()).not.toContain('need a restart');
      await appendFile(at('removed'), linesOf(100, 200, 'removed'));

      await reading(tail('kept', { format: { type: 'pattern', patterns: ['('] } }));
      agent.process.kill('SIGHUP');
      await until('the refusal', () => texts().includes('refused: going on with the old one'));
      await reading(tail('kept'), tail('changed'), tail('added'));
      expect(await stopProgram(agent)).toBe(0);
      for (const name of ['kept', 'changed', 'added']) await appendFile(at(name), linesOf(200, 250, name));
      agent = startProgram(['run', '--config', path]);
      await until('what came while it was away', () => broker.records.length >= 850);
      expect(await stopProgram(agent)).toBe(0);
      expect(recordsOf('kept')).toEqual(expected('kept', 250));
      expect(recordsOf('changed')).toEqual(expected('changed', 250));
      expect(recordsOf('beside')).toEqual(expected('beside', 100));
      expect(recordsOf('removed')).toEqual(expected('removed', 100));
      // A window of 30 s holds thirty of these, before and after the change: none was lost and none read twice.
      const full = broker.windows.filter(
        ({ device, end }) => device === 'changed' && end > timeOf(60) && end < timeOf(200),
      );
      expect(new Set(full.map(({ records }) => records))).toEqual(new Set([30]));
    }),
  60_000,
);

it('never writes a secret, whatever the log level, and wherever the secret came from', () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, 'line.log'), linesOf(0, 10));
    await writeFile(join(folder, 'secret'), 'hunter-two\n');
    const cases: [object, NodeJS.ProcessEnv][] = [
      [{ username: 'joe', password: 'hunter-one' }, {}],
      [{ username: 'joe', password_file: 'secret' }, {}],
      [{ username: 'joe' }, { LINEHERON_MQTT_PASSWORD: 'hunter-three' }],
      [{ username: 'joe' }, { LINEHERON_MQTT_PASSWORD: 'hunter-wrong' }],
    ];
    for (const [mqtt, environment] of cases) {
      const path = await configured(folder, { log_level: 'trace', mqtt: { url: broker.url, ...mqtt } });
      const started = startProgram(['run', '--config', path], environment);
      agent = started;
      const wrong = environment.LINEHERON_MQTT_PASSWORD === 'hunter-wrong';
      const sign = wrong ? 'cannot reach the broker' : 'connected to the broker';
      await until(sign, () => started.text().includes(sign));
      started.process.kill('SIGHUP');
      await until('the reload', () => started.text().includes('the configuration was read again'));
      await stopProgram(started);
      expect(started.text()).not.toMatch(/hunter/);
    }
    expect(broker.texts.join('\n')).not.toMatch(/hunter/);
  }));
