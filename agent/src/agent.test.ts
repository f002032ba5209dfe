/**
 * The agent as a process of its own against a real broker; the test is the collector. What is checked is the promise:
 * every record of a file arrives exactly once, whatever is killed in between.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AgentEvent,
  type AgentInfo,
  ackSchema,
  anomalySchema,
  eventSchema,
  infoSchema,
  type ScoreBatch,
  scoreBatchSchema,
  stateSchema,
  topics,
} from '@lineheron/models';
import { Aedes } from 'aedes';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until, withFolder } from './test-support.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const AGENT = 'gw-1';

class Broker {
  private constructor(
    readonly port: number,
    private readonly server: Server,
    private readonly aedes: Aedes,
  ) {}

  static async start(port = 0): Promise<Broker> {
    const aedes = await Aedes.createBroker({ drainTimeout: 1000 });
    const server = createServer(aedes.handle);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return new Broker((server.address() as { port: number }).port, server, aedes);
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.aedes.close(() => resolve()));
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Takes every batch once, as the collector does, and acknowledges as told. */
class FakeCollector {
  readonly batches = new Map<string, ScoreBatch>();
  readonly messages: { topic: string; text: string; retain: boolean }[] = [];
  deliveries = 0;
  acknowledging = true;
  refuse: ((batch: ScoreBatch) => boolean) | null = null;
  readonly invalid: string[] = [];

  private constructor(private readonly client: MqttClient) {}

  static async start(port: number): Promise<FakeCollector> {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
      protocolVersion: 4,
      reconnectPeriod: 100,
    });
    const collector = new FakeCollector(client);
    client.on('message', (topic, payload, { retain }) =>
      collector.receive(topic, payload.toString(), retain),
    );
    await client.subscribeAsync('lineheron/v1/#', { qos: 1 });
    return collector;
  }

  private receive(topic: string, text: string, retain: boolean): void {
    if (topic !== topics.score(AGENT)) {
      this.messages.push({ topic, text, retain });
      return;
    }
    this.deliveries += 1;
    const batch = scoreBatchSchema.safeParse(JSON.parse(text));
    if (!batch.success) {
      this.invalid.push(batch.error.message);
      return;
    }
    if (!this.acknowledging) return;
    const { boot, sequence } = batch.data;
    if (this.refuse?.(batch.data)) {
      this.say(topics.ack(AGENT), {
        v: 1,
        ranges: [],
        refused: [{ boot, sequence, code: 'invalid_schema' }],
      });
      return;
    }
    this.batches.set(`${boot}/${sequence}`, batch.data);
    this.say(topics.ack(AGENT), { v: 1, ranges: [{ boot, from: sequence, to: sequence }], refused: [] });
  }

  say(topic: string, value: unknown, retain = false): void {
    if (topic === topics.ack(AGENT)) ackSchema.parse(value);
    this.client.publish(topic, JSON.stringify(value), { qos: 1, retain });
  }

  sayRaw(topic: string, payload: string | Buffer): void {
    this.client.publish(topic, payload, { qos: 1 });
  }

  train(requestId: string, useHistory: boolean, seconds = 0): void {
    const command = {
      v: 1,
      type: 'train',
      request_id: requestId,
      duration_seconds: seconds,
      use_history: useHistory,
    };
    this.say(topics.command('fleet'), command);
  }

  async trained(requestId: string): Promise<Extract<AgentEvent, { type: 'training' }>> {
    return until(`the end of training ${requestId}`, () =>
      this.of(topics.event(AGENT), eventSchema)
        .filter((event) => event.type === 'training')
        .find(
          (event) => event.request_id === requestId && ['done', 'failed', 'cancelled'].includes(event.phase),
        ),
    );
  }

  of<T>(topic: string, schema: { parse: (value: unknown) => T }): T[] {
    return this.messages
      .filter((message) => message.topic === topic && message.text !== '')
      .map(({ text }) => schema.parse(JSON.parse(text)));
  }

  get info(): AgentInfo | undefined {
    return this.of(topics.info(AGENT), infoSchema).at(-1);
  }

  get records(): string[] {
    return [...this.batches.values()].flatMap(({ records }) =>
      records.map(({ device_id, timestamp }) => `${device_id} ${timestamp}`),
    );
  }

  async stop(): Promise<void> {
    await this.client.endAsync(true);
  }
}

interface Running {
  process: ChildProcess;
  ended: Promise<number | null>;
  text: () => string;
}

function start(configPath: string, ipc = false): Running {
  const child = spawn(process.execPath, [MAIN, 'run', '--config', configPath], {
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
  });
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk) => {
      text = (text + chunk).slice(-20_000);
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { process: child, ended, text: () => text };
}

async function kill(running: Running, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
  running.process.kill(signal);
  return running.ended;
}

const lineOf = (second: number, device: string) =>
  JSON.stringify({
    timestamp: new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString(),
    device_id: device,
    latency_ms: 20 + ((second * 7) % 11),
    packet_loss_pct: 0,
    retry_count: second % 3 === 0 ? 1 : 0,
    traffic_volume_mb: 1 + (second % 5) / 10,
    connection_resets: 0,
  });

const linesOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) =>
    ['m1', 'm2'].map((device) => `${lineOf(from + index, device)}\n`).join(''),
  ).join('');

const expected = (to: number) =>
  Array.from({ length: to }, (_, second) =>
    ['m1', 'm2'].map((device) => `${device} ${new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString()}`),
  )
    .flat()
    .sort();

describe('lineheron-agent', () => {
  let broker: Broker;
  let collector: FakeCollector;
  let running: Running[] = [];

  beforeEach(async () => {
    broker = await Broker.start();
    collector = await FakeCollector.start(broker.port);
    running = [];
  });

  afterEach(async () => {
    for (const one of running) await kill(one);
    await collector.stop();
    await broker.stop();
  });

  async function configured(folder: string, rest: object, port = broker.port): Promise<string> {
    const path = join(folder, 'agent.yaml');
    await writeFile(
      path,
      JSON.stringify({
        agent_id: AGENT,
        data_dir: join(folder, 'data'),
        mqtt: { url: `mqtt://127.0.0.1:${port}` },
        publish_records: 'all',
        ...rest,
      }),
    );
    return path;
  }

  function launch(path: string, ipc = false): Running {
    const one = start(path, ipc);
    running.push(one);
    return one;
  }

  it(
    'delivers every record of a file exactly once through kill -9 and a broker that goes',
    () =>
      withFolder(async (folder) => {
        const file = join(folder, 'line.log');
        await writeFile(file, linesOf(0, 100));
        const path = await configured(folder, { source: { type: 'tail', paths: [file], from: 'start' } });
        let agent = launch(path);
        await until('the first records', () => collector.records.length >= 200);
        for (let round = 1; round <= 3; round++) {
          collector.acknowledging = round !== 2;
          const half = linesOf(100 * round, 100 * (round + 1));
          await appendFile(file, half.slice(0, 5_000));
          const before = collector.deliveries;
          await until('something on the way', () => collector.deliveries > before);
          await kill(agent);
          await appendFile(file, half.slice(5_000));
          agent = launch(path);
          await until('more', () => collector.deliveries > before + 1);
        }
        const { port } = broker;
        collector.acknowledging = true;
        await broker.stop();
        await appendFile(file, linesOf(400, 450));
        broker = await Broker.start(port);
        await until('all records', () => collector.records.length >= 900, 40_000);
        expect(await kill(agent, 'SIGTERM')).toBe(0);
        await until('its last words', () => collector.info?.spool.batches === 0);
        expect(collector.records.sort()).toEqual(expected(450));
        expect(collector.invalid).toEqual([]);
        for (const boot of new Set([...collector.batches.values()].map((batch) => batch.boot))) {
          const sequences = [...collector.batches.values()].filter((batch) => batch.boot === boot);
          const numbers = sequences.map(({ sequence }) => sequence).sort((a, b) => a - b);
          expect(numbers).toEqual(numbers.map((_, index) => index + 1));
        }
      }),
    90_000,
  );

  it(
    'back-fills, trains on its history, detects a fault, tells of it and keeps its forest through a restart',
    () =>
      withFolder(async (folder) => {
        const fault = { device_id: 'm2', type: 'packet_loss', start_s: 5, duration_s: 120 };
        const source = {
          type: 'generate',
          devices: ['m1', 'm2', 'm3'],
          backfill_minutes: 10,
          faults: [fault],
        };
        const path = await configured(folder, { source, contamination: 0.01, labels: { site: 'Harbour' } });
        const agent = launch(path);
        await until('live windows', () => collector.info?.source.phase === 'live');
        collector.say(
          topics.desired('fleet'),
          { v: 1, detecting: true, active_model: 'isolation_forest' },
          true,
        );
        collector.train('first', true);
        const end = await collector.trained('first');
        expect(end).toMatchObject({ phase: 'done', progress: 1 });
        expect(end.rows.device).toBeGreaterThan(500);
        const opened = await until('an alert on m2', () =>
          collector
            .of(topics.anomaly(AGENT), anomalySchema)
            .find(({ device, phase }) => device === 'm2' && phase === 'opened'),
        );
        expect(opened.reasons.some(({ feature }) => feature.startsWith('packet_loss'))).toBe(true);
        expect(opened.summary).toMatch(/^m2: .*loss/);
        expect(opened.episode).toBe(opened.id);
        const suspect = await until('its window', () =>
          [...collector.batches.values()]
            .flatMap(({ windows }) => windows)
            .find(({ episode }) => episode === opened.id),
        );
        expect(suspect).toMatchObject({ device: 'm2', state: 'scored', suspect: true, is_anomaly: true });
        const verdict = {
          v: 1,
          alert: opened.id,
          device: 'm2',
          scope: 'device',
          status: 'open',
          verdict: 'confirmed',
          severity: 'critical',
          at: opened.at,
          autoencoder_score: 2,
          autoencoder_threshold: 1,
          summary: 'Both agree.',
        };
        collector.say(topics.verdict(AGENT), verdict);
        await until('the verdict in the state', () =>
          collector.of(topics.state(AGENT, 'm2'), stateSchema).some((state) => state.verdict === 'confirmed'),
        );
        expect(await kill(agent, 'SIGTERM')).toBe(0);
        await until(
          'offline',
          () =>
            collector.messages.filter(({ topic }) => topic === topics.status(AGENT)).at(-1)?.text ===
            'offline',
        );
        launch(path);
        const info = await until('the forest again', () => {
          const latest = collector.info;
          return latest && latest.boot !== opened.id.split('/')[1] ? latest : null;
        });
        expect(info.models.map(({ scope }) => scope)).toEqual(['device', 'gateway']);
        expect(info).toMatchObject({
          detecting: true,
          labels: { site: 'Harbour' },
          source: { phase: 'live' },
        });
        expect(collector.invalid).toEqual([]);
      }),
    60_000,
  );

  it(
    'goes on with the own threshold of each device after a stop, and after a kill -9',
    () =>
      withFolder(async (folder) => {
        const file = join(folder, 'line.log');
        await writeFile(file, linesOf(0, 400));
        const source = { type: 'tail', paths: [file], from: 'start' };
        const path = await configured(folder, { source, window_size_seconds: 5, publish_records: 'none' });
        const first = launch(path);
        const newest = () =>
          [...collector.batches.values()]
            .flatMap(({ windows }) => windows)
            .filter(({ device, state }) => device === 'm1' && state !== 'warming_up')
            .reduce((last, window) => (last.end > window.end ? last : window));
        /** The window of m1 that this second of the file ends. */
        const windowAt = (second: number) =>
          until(`the window at ${second} s`, () => {
            const end = new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
            return collector.batches.size > 0 && newest().end === end ? newest() : null;
          });
        await windowAt(399);
        collector.say(topics.desired('fleet'), { v: 1, detecting: true, active_model: 'ensemble' }, true);
        collector.train('first', true);
        expect(await collector.trained('first')).toMatchObject({ phase: 'done' });
        // Two hundred window lengths make a block: it counts for the next thousand seconds.
        await appendFile(file, linesOf(400, 1450));
        const before = await windowAt(1449);
        const ofAll = collector.info!.models.find(({ scope }) => scope === 'device')!.threshold;
        expect(before).toMatchObject({ state: 'scored', threshold: expect.any(Number) });
        expect(before.threshold).not.toBe(ofAll);
        expect(await kill(first, 'SIGTERM')).toBe(0);
        await appendFile(file, linesOf(1450, 1460));
        const second = launch(path);
        expect((await windowAt(1459)).threshold).toBe(before.threshold);
        await kill(second);
        await appendFile(file, linesOf(1460, 1470));
        const third = launch(path);
        expect((await windowAt(1469)).threshold).toBe(before.threshold);
        expect(third.text()).toContain("the devices' own thresholds go on as before the restart");
        expect(third.text()).toContain('the drift meters go on as before the restart');
      }),
    60_000,
  );

  it('answers a training with too few windows, a second one and a cancelled one', () =>
    withFolder(async (folder) => {
      const path = await configured(folder, { source: { type: 'generate', devices: 1 } });
      launch(path);
      await until('info', () => collector.info);
      collector.train('short', false, 0);
      expect(await collector.trained('short')).toMatchObject({
        phase: 'failed',
        message: expect.stringMatching(/30 are needed/),
      });
      collector.train('long', false, 600);
      collector.train('second', false, 1);
      expect(await collector.trained('second')).toMatchObject({
        phase: 'failed',
        message: expect.stringMatching(/long/),
      });
      collector.say(topics.command(AGENT), { v: 1, type: 'cancel_training', request_id: 'long' });
      expect((await collector.trained('long')).phase).toBe('cancelled');
    }));

  it('counts bad messages and goes on, and sets refused batches aside', () =>
    withFolder(async (folder) => {
      const path = await configured(folder, { source: { type: 'generate', devices: 1 } });
      let refused = 0;
      collector.refuse = () => refused++ === 0;
      const agent = launch(path);
      await until('info', () => collector.info);
      const badAck = '{"v":1,"ranges":[{"boot":"x","from":-1,"to":1e99}],"refused":[]}';
      for (const bad of ['no JSON', '', '[]', '{"v":2}', badAck, Buffer.from([0xff, 0, 0xfe])]) {
        for (const topic of [topics.ack(AGENT), topics.command(AGENT), topics.verdict(AGENT)]) {
          collector.sayRaw(topic, bad);
        }
      }
      const quarantine = join(folder, 'data', 'quarantine.jsonl');
      const text = await until('a set aside batch', async () => {
        const written = await readFile(quarantine, 'utf8').catch(() => '');
        return written.endsWith('\n') ? written : null;
      });
      const line = JSON.parse(text);
      expect(line.code).toBe('invalid_schema');
      await until('batches after it', () => collector.batches.size >= 2);
      await kill(agent, 'SIGTERM');
      expect(collector.info?.counters).toMatchObject({ inbound_refused: 18, batches_refused: 1 });
    }));

  it('refuses a second agent on the same folder and a wrong configuration, with exit codes of their own', () =>
    withFolder(async (folder) => {
      const path = await configured(folder, { source: { type: 'generate', devices: 1 } });
      launch(path);
      await until('info', () => collector.info);
      const second = launch(path);
      expect(await second.ended).toBe(75);
      expect(second.text()).toMatch(/in use by another agent/);
      const wrong = join(folder, 'wrong.yaml');
      await writeFile(
        wrong,
        'agent_id: gw-1\ndata_dir: x\nwindow_sice: 3\nsource: {type: tail, paths: []}\n',
      );
      const third = launch(wrong);
      expect(await third.ended).toBe(78);
      expect(third.text()).toMatch(/window_sice: unknown key/);
      expect(third.text()).toMatch(/source\.paths/);
    }));

  it('says ready over its channel and ends by itself when that closes, even without a broker', () =>
    withFolder(async (folder) => {
      const path = await configured(folder, { source: { type: 'host' } }, 1);
      const agent = launch(path, true);
      const messages: unknown[] = [];
      agent.process.on('message', (message) => messages.push(message));
      await until('ready', () => messages.some((message) => (message as { type: string }).type === 'ready'));
      const startMs = Date.now();
      agent.process.disconnect();
      expect(await agent.ended).toBe(0);
      expect(Date.now() - startMs).toBeLessThan(3_000);
      expect(await readdir(join(folder, 'data'))).not.toContain('agent.lock');
    }));

  it('measures this host: a round trip to its broker in every record', () =>
    withFolder(async (folder) => {
      const path = await configured(folder, {
        source: { type: 'host', device_id: 'me', interval_seconds: 0.2 },
      });
      launch(path);
      await until('a measured record', () =>
        [...collector.batches.values()]
          .flatMap(({ records }) => records)
          .some(
            ({ device_id, latency_ms }) =>
              device_id === 'me' && latency_ms !== undefined && latency_ms < 1000,
          ),
      );
      expect(collector.invalid).toEqual([]);
    }));
});
