/** The built program against brokers that end the connection of whoever publishes more than they take. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { topics } from '@lineheron/models';
import mqtt from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { Counters } from './counters.js';
import { Spool } from './spool/spool.js';
import { type Started, startProgram, stopProgram } from './test-agent.js';
import { TestBroker } from './test-broker.js';
import { silentLog, until, withFolder as withAnyFolder } from './test-support.js';

const AGENT = 'gw-1';
const COUNT = 3_000;

const lines = Array.from(
  { length: COUNT },
  (_, index) =>
    `{"timestamp": ${1_795_900_000 + index}, "device_id": "d${index % 500}", "latency_ms": ${20 + (index % 7)}}\n`,
).join('');

const MOSQUITTO = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto'].find((path) => {
  try {
    execFileSync(path, ['-h'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (
      (error as { status?: number }).status !== undefined &&
      (error as NodeJS.ErrnoException).code !== 'ENOENT'
    );
  }
});

let agent: Started | null = null;
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** The agent ends before its folder goes. */
const withFolder = (work: (folder: string) => Promise<void>) =>
  withAnyFolder((folder) =>
    work(folder).finally(async () => {
      if (agent) await stopProgram(agent, 'SIGKILL');
      agent = null;
    }),
  );

async function start(folder: string, url: string): Promise<Started> {
  const [path, log] = [join(folder, 'agent.yaml'), join(folder, 'input.log')];
  await writeFile(log, lines);
  const source = { type: 'tail', paths: [log], from: 'start' };
  const config = {
    agent_id: AGENT,
    data_dir: join(folder, 'data'),
    publish_records: 'all',
    mqtt: { url },
    source,
  };
  await writeFile(path, JSON.stringify(config));
  agent = startProgram(['run', '--config', path]);
  return agent;
}

async function brokerThatTakes(maxBytes: number): Promise<TestBroker> {
  const broker = await TestBroker.start(AGENT, undefined, undefined, maxBytes);
  ends.push(() => broker.stop());
  return broker;
}

const window = {
  scope: 'device',
  device: 'old',
  end: '2026-01-01T00:00:00.000Z',
  records: 1,
  state: 'untrained',
  score: null,
  threshold: null,
  suspect: false,
  features: new Array(19).fill(1.2345678),
  reasons: [],
  episode: null,
};

/** What an agent whose batches were larger left behind. */
async function oldBatches(folder: string, sizes: number[], windowCount = 0): Promise<void> {
  const options = { maxBytes: 64 * 1024 * 1024, segmentBytes: 4 * 1024 * 1024, whenFull: 'wait' as const };
  const spool = new Spool({
    folder: join(folder, 'data', 'spool'),
    ...options,
    log: silentLog,
    counters: new Counters(),
  });
  await spool.start();
  const batches = sizes.map((size, index) => {
    const head = { v: 1, agent: AGENT, boot: '00000000000000aa', sequence: index + 1 };
    const rest = { created_at: new Date().toISOString(), fingerprint: '0123456789abcdef' };
    const filler = { timestamp: new Date().toISOString(), device_id: 'old', suspect: false };
    const records = Array.from({ length: Math.ceil(size / 60) }, () => filler);
    const windows = Array.from({ length: windowCount }, () => window);
    const bytes = Buffer.from(JSON.stringify({ ...head, ...rest, windows, records }));
    return {
      boot: head.boot,
      sequence: head.sequence,
      windows: windowCount,
      bytes,
      createdMs: Date.now(),
      marks: [],
    };
  });
  await spool.append({ position: undefined, batches });
  await spool.close();
}

describe('an agent whose broker takes no large messages', () => {
  it.each([131_072, 65_536])(
    'delivers every record by messages below %i bytes, without one lost connection',
    (most) =>
      withFolder(async (folder) => {
        const broker = await brokerThatTakes(most);
        const running = await start(folder, broker.url);
        await until('every record', () => broker.records.length >= COUNT, 30_000);
        expect(new Set(broker.records).size).toBe(COUNT);
        expect(broker.records).toHaveLength(COUNT);
        expect(running.text()).not.toMatch(/is lost|agent_id/);
        expect(running.text().match(/connected to the broker/g)).toHaveLength(1);
      }),
    40_000,
  );

  it(
    'finds out a limit below its own, names the size, and delivers what comes after it',
    () =>
      withFolder(async (folder) => {
        const broker = await brokerThatTakes(40_000);
        const running = await start(folder, broker.url);
        await until(
          'the size to be told',
          () => /after a message of [\d,]+ bytes/.test(running.text()),
          60_000,
        );
        const log = join(folder, 'input.log');
        const later = Array.from({ length: 300 }, (_, index) =>
          JSON.stringify({ timestamp: 1_795_910_000 + index, device_id: 'later', latency_ms: 20 }),
        );
        await writeFile(log, `${later.join('\n')}\n`, { flag: 'a' });
        const arrived = () => new Set(broker.records.filter((one) => one.startsWith('later'))).size;
        await until('what comes later', () => arrived() === 300, 60_000);
        expect(running.text()).not.toMatch(/agent_id/);
        expect(
          Math.max(...[...broker.batches.values()].map((batch) => JSON.stringify(batch).length)),
        ).toBeLessThanOrEqual(40_000);
      }),
    130_000,
  );

  it(
    'sends what an older version left too large without its records, or sets it aside, and goes on',
    () =>
      withFolder(async (folder) => {
        await oldBatches(folder, [140_000, 150_000, 145_000]);
        const broker = await brokerThatTakes(131_072);
        const running = await start(folder, broker.url);
        await until('every new record', () => new Set(broker.records).size >= COUNT, 60_000);
        expect(running.text()).toMatch(/after a message of 1[4-9]\d,\d+ bytes/);
        expect(broker.batches.get('00000000000000aa/1')).toMatchObject({ records: [] });
        expect(running.text()).not.toMatch(/agent_id/);
      }),
    90_000,
  );

  it.skipIf(!MOSQUITTO)(
    'so does Mosquitto with message_size_limit (skipped where it is not installed)',
    () =>
      withFolder(async (folder) => {
        const probe = createServer().listen(0, '127.0.0.1');
        await once(probe, 'listening');
        const { port } = probe.address() as { port: number };
        await new Promise((resolve) => probe.close(resolve));
        const config = join(folder, 'mosquitto.conf');
        await writeFile(
          config,
          `listener ${port} 127.0.0.1\nallow_anonymous true\nmessage_size_limit 65536\n`,
        );
        const mosquitto = spawn(MOSQUITTO!, ['-c', config], { stdio: 'ignore' });
        ends.push(async () => {
          mosquitto.kill();
          await once(mosquitto, 'close');
        });
        const url = `mqtt://127.0.0.1:${port}`;
        const seen = new Set<string>();
        const client = mqtt.connect(url, { protocolVersion: 4, reconnectPeriod: 50 });
        ends.unshift(() => client.endAsync(true));
        client.on('message', (_, payload) => {
          const { boot, sequence, records } = JSON.parse(payload.toString()) as {
            boot: string;
            sequence: number;
            records: { device_id: string; timestamp: string }[];
          };
          for (const { device_id, timestamp } of records) seen.add(`${device_id} ${timestamp}`);
          const ack = { v: 1, ranges: [{ boot, from: sequence, to: sequence }], refused: [] };
          client.publish(topics.ack(AGENT), JSON.stringify(ack), { qos: 1 });
        });
        await until('the broker', () => client.connected);
        await client.subscribeAsync(topics.score(AGENT), { qos: 1 });
        await start(folder, url);
        await until('every record', () => seen.size === COUNT, 30_000);
      }),
    60_000,
  );

  it(
    'keeps in its quarantine what cannot be made smaller',
    () =>
      withFolder(async (folder) => {
        await oldBatches(folder, [100], 250);
        const broker = await brokerThatTakes(70_000);
        await start(folder, broker.url);
        const quarantine = () => readFile(join(folder, 'data', 'quarantine.jsonl'), 'utf8').catch(() => '');
        await until('the quarantine', async () => (await quarantine()).includes('"too_large"'), 30_000);
      }),
    90_000,
  );
});
