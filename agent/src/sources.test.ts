/** Several sources at once in the built program, each with its own format, and standard input with its end. */
import { createSocket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Started, startProgram, stopProgram } from './test-agent.js';
import { TestBroker } from './test-broker.js';
import { until, withFolder } from './test-support.js';

const AGENT = 'gw-1';

describe('sources of the program', () => {
  let broker: TestBroker;
  let agent: Started | null = null;

  beforeEach(async () => {
    broker = await TestBroker.start(AGENT);
  });
  afterEach(async () => {
    if (agent) await stopProgram(agent, 'SIGKILL');
    agent = null;
    await broker.stop();
  });

  async function started(folder: string, sources: object): Promise<Started> {
    const path = join(folder, 'agent.yaml');
    const mqtt = { url: broker.url };
    const common = { agent_id: AGENT, data_dir: join(folder, 'data'), publish_records: 'all', mqtt };
    await writeFile(path, JSON.stringify({ ...common, ...sources }));
    agent = startProgram(['run', '--config', path]);
    return agent;
  }

  const records = () => [...broker.batches.values()].flatMap((batch) => batch.records);
  const seen = () =>
    records()
      .map(({ device_id, latency_ms }) => `${device_id} ${latency_ms}`)
      .sort();

  it('are read at once, each in its own format; who sent a message is the device of one that names none', () =>
    withFolder(async (folder) => {
      const [json, other] = [join(folder, 'a.log'), join(folder, 'b.log')];
      const now = new Date().toISOString();
      await writeFile(json, `{"t":"${now}","unit":"a","rtt":0.025}\n`);
      await writeFile(other, `{"when":"${now}","a":{"b":"b"},"ms":26}\n`);
      const { port } = await freeUdpPort();
      const running = await started(folder, {
        sources: [
          {
            type: 'tail',
            paths: [json],
            from: 'start',
            format: {
              type: 'json',
              fields: { timestamp: 't', device_id: 'unit', latency_ms: { from: 'rtt', unit: 's' } },
            },
          },
          {
            type: 'tail',
            name: 'other',
            paths: [other],
            from: 'start',
            format: { type: 'json', fields: { timestamp: 'when', device_id: 'a.b', latency_ms: 'ms' } },
          },
          {
            type: 'syslog',
            udp_port: port,
            format: { type: 'json', fields: { latency_ms: 'rtt' } },
          },
        ],
      });
      const socket = createSocket('udp4');
      await until('all three', () => {
        if (!seen().some((one) => one.startsWith('127.0.0.1'))) socket.send('{"rtt":27}', port, '127.0.0.1');
        return new Set(seen().map((one) => one.split(' ')[0])).size === 3;
      }).catch((error) => {
        throw new Error(`${error.message}: ${running.text()}`);
      });
      expect([...new Set(seen())]).toEqual(['127.0.0.1 27', 'a 25', 'b 26']);
      expect(broker.texts.some((one) => one.includes('"type":"tail+syslog"'))).toBe(true);
      socket.close();
    }));

  it('end the agent with standard input, once everything is with the collector', () =>
    withFolder(async (folder) => {
      const running = await started(folder, { source: { type: 'stdin' } });
      const count = 500;
      const line = (index: number) =>
        `{"timestamp":${1_760_000_000 + index},"device_id":"m1","latency_ms":${index}}\n`;
      running.process.stdin!.end(Array.from({ length: count }, (_, index) => line(index)).join(''));
      expect(await running.ended).toBe(0);
      expect(records().map(({ latency_ms }) => latency_ms)).toEqual(
        Array.from({ length: count }, (_, index) => index),
      );
    }));
});

async function freeUdpPort(): Promise<{ port: number }> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return { port };
}
