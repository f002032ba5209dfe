/** Whoever can write to the broker sends the running agent what they like: it goes on, keeps its models, and counts. */
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FLEET, infoSchema, topics } from '@lineheron/models';
import { afterEach, expect, it } from 'vitest';
import { type Started, startProgram, stopProgram } from './test-agent.js';
import { TestBroker } from './test-broker.js';
import { until, withFolder } from './test-support.js';

const AGENT = 'gw-1';
/** More than a packet of ours may be. */
const HUGE = 2 * 1024 * 1024;

let broker: TestBroker;
let agent: Started | null = null;

afterEach(async () => {
  if (agent) await stopProgram(agent, 'SIGKILL');
  agent = null;
  await broker.stop();
});

const lineOf = (second: number) =>
  `{"timestamp":${1_767_225_600 + second},"device_id":"m1","latency_ms":${20 + (second % 5)}}\n`;
const linesOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => lineOf(from + index)).join('');

const send = (topic: string, payload: Buffer | string) =>
  new Promise((resolve) => {
    const bytes = Buffer.from(payload);
    broker.aedes.publish(
      { cmd: 'publish', topic, payload: bytes, qos: 1, retain: true, dup: false },
      resolve,
    );
  });

it('takes no model from the wire, refuses what is no message of ours, and goes on', () =>
  withFolder(async (folder) => {
    broker = await TestBroker.start(AGENT);
    const subscribed = new Set<string>();
    broker.aedes.on('subscribe', (list) => {
      for (const { topic } of list) subscribed.add(topic);
    });
    const file = join(folder, 'a.log');
    const config = join(folder, 'agent.yaml');
    await writeFile(file, linesOf(0, 50));
    const source = { type: 'tail', paths: [file], from: 'start' };
    const rest = {
      data_dir: join(folder, 'data'),
      mqtt: { url: broker.url },
      publish_records: 'all',
      source,
    };
    await writeFile(config, JSON.stringify({ agent_id: AGENT, ...rest }));
    agent = startProgram(['run', '--config', config]);
    await until('the first records', () => broker.records.length === 50);

    const model = 'lineheron/v1/fleet/model/default/isolation_forest';
    const manifest = { kind: 'isolation_forest', scope: 'device', release: 2 ** 53, sha256: '../../x' };
    await send(model, JSON.stringify(manifest));
    await send(`${model}/${'0'.repeat(64)}`, Buffer.alloc(900_000, 0xff));
    expect([...subscribed].filter((topic) => /model|#|\+/.test(topic))).toEqual([]);
    const own = [topics.ack(AGENT), topics.verdict(AGENT), topics.desired(AGENT), topics.command(AGENT)];
    expect([...subscribed]).toEqual(
      expect.arrayContaining([...own, topics.desired(FLEET), topics.command(FLEET)]),
    );
    const hostile = ['\u0000', '[]', '{"__proto__":{"v":1}}', `{"v":1,"x":"${'a'.repeat(HUGE)}"}`];
    for (const topic of own) for (const payload of hostile) await send(topic, payload);

    await appendFile(file, linesOf(50, 100));
    await until('the other records', () => broker.records.length === 100);
    expect(await stopProgram(agent)).toBe(0);
    const told = broker.texts.findLast((text) => text.startsWith(`${topics.info(AGENT)} `))!;
    const info = infoSchema.parse(JSON.parse(told.slice(told.indexOf(' ') + 1)));
    expect(info.counters.inbound_refused).toBe(own.length * hostile.length);
    expect(info.models).toEqual([]);
    expect(await readdir(join(folder, 'data', 'models')).catch(() => [])).toEqual([]);
  }));
