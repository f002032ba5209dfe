/** The whole collector on real ground: embedded broker, SQLite, ONNX Runtime, the native trainer, MQTT and WebSocket. */
import { mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Ack,
  type Alert,
  ackSchema,
  commandSchema,
  desiredSchema,
  type FeedFrame,
  feedFrameSchema,
  type MetricsView,
  type ModelView,
  type ScoreBatch,
  type SnapshotFrame,
  type StatusView,
  type Training,
  topics,
  type Verdict,
  verdictSchema,
  type WindowView,
} from '@lineheron/models';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Addresses, Collector } from './collector.js';
import { ConfigError, loadConfig } from './config.js';
import { createLogger } from './log.js';
import { at, BOOT, makeBatch, makeFeatures, makeInfo, makeWindow } from './testing/messages.js';

let folder: string;
let collector: Collector;
let addresses: Addresses;
const fatal: Error[] = [];
const cleanups: Array<() => Promise<unknown> | unknown> = [];

async function start(mqttPort = '0', httpPort = '0', more: Record<string, string> = {}): Promise<void> {
  collector = new Collector({
    config: loadConfig({
      flags: { data_dir: folder, 'http.port': httpPort, 'mqtt.port': mqttPort, ...more },
    }),
    log: createLogger('silent'),
    version: '0.1.0',
    onFatal: (error) => fatal.push(error),
  });
  addresses = await collector.start();
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-collector-'));
  await start();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await collector.stop();
  await rm(folder, { recursive: true, force: true });
  expect(fatal.splice(0)).toEqual([]);
});

async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const base = () => `http://127.0.0.1:${addresses.httpPort}`;
const mqttPort = () => Number(new URL(addresses.mqttUrl).port);

async function get<T>(path: string): Promise<T> {
  return (await fetch(`${base()}${path}`)).json() as Promise<T>;
}

async function post<T>(path: string, body: unknown = {}): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return (
    await fetch(`${base()}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  ).json() as Promise<T>;
}

const stored = async () => (await get<{ windows: WindowView[] }>('/api/v1/windows?limit=1000')).windows;
const totals = async () => (await get<MetricsView>('/metrics')).totals;

/** An agent as the collector sees one. */
class Agent {
  readonly acks: Ack[] = [];
  readonly verdicts: Verdict[] = [];
  readonly heard: Array<{ topic: string; payload: string; retain: boolean }> = [];

  private constructor(
    readonly id: string,
    private readonly client: MqttClient,
  ) {}

  static async connect(id = 'gw-1'): Promise<Agent> {
    const client = await mqtt.connectAsync(addresses.mqttUrl, { protocolVersion: 4, reconnectPeriod: 100 });
    cleanups.push(() => client.endAsync(true));
    const agent = new Agent(id, client);
    client.on('message', (topic, payload, { retain }) => agent.hear(topic, payload.toString(), retain));
    const own = [topics.ack(id), topics.verdict(id), topics.command(id)];
    await client.subscribeAsync([...own, topics.command('fleet'), topics.desired('fleet')], { qos: 1 });
    return agent;
  }

  private hear(topic: string, payload: string, retain: boolean): void {
    this.heard.push({ topic, payload, retain });
    if (topic === topics.ack(this.id)) this.acks.push(ackSchema.parse(JSON.parse(payload)));
    if (topic === topics.verdict(this.id)) this.verdicts.push(verdictSchema.parse(JSON.parse(payload)));
  }

  async introduce(): Promise<void> {
    await this.client.publishAsync(topics.status(this.id), 'online', { qos: 1, retain: true });
    await this.say(topics.info(this.id), makeInfo({ agent: this.id }));
  }

  async say(topic: string, payload: unknown): Promise<void> {
    const text = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
    await this.client.publishAsync(topic, text, { qos: 1 });
  }

  send(batch: Partial<ScoreBatch>): Promise<void> {
    return this.say(topics.score(this.id), makeBatch({ agent: this.id, ...batch }));
  }

  acked(sequence: number, boot = BOOT): boolean {
    return this.acks.some(({ ranges }) =>
      ranges.some((range) => range.boot === boot && range.from <= sequence && sequence <= range.to),
    );
  }
}

/** Quiet windows of one device and of the gateway, one batch a second of event time. */
async function sendQuiet(agent: Agent, first: number, count: number): Promise<void> {
  for (let sequence = first; sequence < first + count; sequence++) {
    const quiet = { end: at(sequence), state: 'untrained' as const, score: null, threshold: null };
    await agent.send({
      sequence,
      windows: [
        makeWindow({ ...quiet, features: makeFeatures(1, sequence) }),
        makeWindow({ ...quiet, scope: 'gateway', device: '*', features: makeFeatures(1, sequence / 2) }),
      ],
    });
  }
  const last = first + count - 1;
  await until(`batch ${last} acknowledged`, () => agent.acked(last));
}

describe('nothing lost, nothing doubled', () => {
  it('stores a batch once, acknowledges it after its commit, and again when it comes again', async () => {
    const agent = await Agent.connect();
    await agent.send({ sequence: 1 });
    await until('an acknowledgement', () => agent.acked(1));
    expect(await stored()).toHaveLength(1);
    const before = agent.acks.length;
    await agent.send({ sequence: 1 });
    await until('another acknowledgement', () => agent.acks.length > before);
    expect(await stored()).toHaveLength(1);
    expect(await totals()).toMatchObject({ batches: 1, windows: 1, duplicates: 1 });
  });

  it('keeps everything over a restart: rows, what was acknowledged, settings and totals', async () => {
    const agent = await Agent.connect();
    await agent.send({ sequence: 1 });
    await agent.send({ sequence: 3 });
    await until('both acknowledged', () => agent.acked(1) && agent.acked(3));
    await post('/model', { model_name: 'isolation_forest' });
    const port = String(mqttPort());
    await collector.stop();
    await start(port);
    expect(await stored()).toHaveLength(2);
    expect(await get<StatusView>('/status')).toMatchObject({ active_model: 'isolation_forest' });
    const back = await Agent.connect();
    await back.send({ sequence: 3 });
    await back.send({ sequence: 2 });
    await until('both acknowledged', () => back.acked(2) && back.acked(3));
    expect((await stored()).map(({ id }) => id.split('/')[2])).toEqual(['1', '2', '3']);
    expect(await totals()).toMatchObject({ batches: 3, duplicates: 1 });
  });

  it('tells the agent of a batch that will never be stored, and goes on with the others', async () => {
    const agent = await Agent.connect();
    await agent.say(topics.score('gw-1'), { ...makeBatch({ sequence: 5 }), windows: [{ scope: 'moon' }] });
    await agent.send({ sequence: 6 });
    await until('batch 6 acknowledged', () => agent.acked(6));
    const refused = agent.acks.flatMap((ack) => ack.refused);
    expect(refused).toEqual([{ boot: BOOT, sequence: 5, code: 'invalid_schema' }]);
    expect(await totals()).toMatchObject({ refused: 1, batches: 1 });
  });
});

describe('hostile input', () => {
  /** Writes raw bytes to the broker and resolves when it has cut the connection. */
  function raw(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      const socket = connectTcp(mqttPort(), '127.0.0.1', () => socket.write(bytes)).resume();
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
  }

  const connectPacket = (clientId: string) => {
    const id = Buffer.from(clientId);
    const body = Buffer.concat([Buffer.from([0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, id.length]), id]);
    return Buffer.concat([Buffer.from([0x10, body.length]), body]);
  };

  it('costs its sender the connection and nobody else anything', async () => {
    const agent = await Agent.connect();
    await raw(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await raw(Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff]));
    // A packet of 2 MiB is cut at its header.
    await raw(Buffer.concat([connectPacket('large'), Buffer.from([0x30, 0x80, 0x80, 0x80, 0x01])]));
    const names = ['__proto__', 'constructor', 'toString'];
    for (const name of names) {
      const socket = connectTcp(mqttPort(), '127.0.0.1', () => socket.end(connectPacket(name))).resume();
      await new Promise((resolve) => socket.on('close', resolve).on('error', () => {}));
    }
    await agent.say(topics.score('gw-1'), Buffer.from([0xff, 0x00, 0xfe]));
    await agent.say(topics.info('gw-1'), '[1,2');
    await agent.send({ sequence: 1 });
    await until('the good batch acknowledged', () => agent.acked(1));
    expect((await fetch(`${base()}/readyz`)).status).toBe(200);
    expect((await totals()).refused).toBe(2);
  });

  it('may not publish to the broker’s own topics', async () => {
    const client = await mqtt.connectAsync(addresses.mqttUrl, { protocolVersion: 4, reconnectPeriod: 0 });
    const closed = new Promise((resolve) => client.on('close', () => resolve(true)));
    client.publish('$SYS/x', 'y', { qos: 1 }, () => {});
    expect(await closed).toBe(true);
  });
});

describe('training, review and alerts', () => {
  it('trains on history, reviews with ONNX Runtime, opens an alert with reasons, and closes it', async () => {
    const agent = await Agent.connect();
    await agent.introduce();
    await sendQuiet(agent, 1, 120);
    const training = post<Training>('/train?wait=true', {
      duration_seconds: 0,
      use_history: true,
      epochs: 30,
    });
    const command = await until('the command', () =>
      agent.heard.find(({ topic }) => topic === topics.command('fleet')),
    );
    const { request_id } = commandSchema.parse(JSON.parse(command.payload));
    const rows = { device: 120, gateway: 120 };
    await agent.say(topics.event('gw-1'), {
      v: 1,
      type: 'training',
      request_id,
      phase: 'done',
      progress: 1,
      rows,
    });
    await training;
    const ended = await until('the end', async () => {
      const now = await get<Training>(`/api/v1/trainings/${request_id}`);
      return now.finished_at === null ? null : now;
    });
    expect(ended).toMatchObject({ state: 'done', agents: [{ id: 'gw-1', state: 'done', rows }] });
    expect(ended.autoencoders.map(({ scope, state }) => `${scope} ${state}`).sort()).toEqual([
      'device done',
      'gateway done',
    ]);
    expect(await post<StatusView>('/start')).toMatchObject({ detecting: true });

    const strange = makeWindow({ end: at(200), state: 'untrained', score: null, features: makeFeatures(20) });
    await agent.send({ sequence: 201, windows: [strange] });
    const opened = await until('a verdict', () => agent.verdicts[0]);
    expect(opened).toMatchObject({
      status: 'open',
      verdict: 'confirmed',
      severity: 'warning',
      device: 'modem-1',
    });
    const alert = await get<Alert>(`/api/v1/alerts/${encodeURIComponent(opened.alert)}`);
    expect(alert).toMatchObject({
      id: `gw-1/${BOOT}/201/0`,
      opened_by: 'collector',
      detectors: ['autoencoder'],
    });
    expect(alert.reasons[0]).toMatchObject({ p5: expect.any(Number), p95: expect.any(Number) });
    expect(alert.autoencoder!.score).toBeGreaterThan(alert.autoencoder!.threshold);

    await agent.send({
      sequence: 202,
      windows: [211, 212, 213].map((second) => ({
        ...strange,
        end: at(second),
        features: makeFeatures(1, 1),
      })),
    });
    await until('the end', () => agent.verdicts.some(({ status }) => status === 'closed'));
    expect(await get(`/api/v1/alerts?status=open`)).toEqual({ alerts: [] });
    const [view] = (await get<{ results: WindowView[] }>('/recent-results?anomalous=true')).results;
    expect(view).toMatchObject({ anomalous: true, alert: alert.id, autoencoder: { suspect: true } });
  });

  it('keeps the trained models over a restart, and gives an untrained agent no opinion', async () => {
    const agent = await Agent.connect();
    await agent.introduce();
    await sendQuiet(agent, 1, 70);
    const training = post<Training>('/train', { duration_seconds: 0, use_history: true });
    const { id } = await training;
    const done = {
      v: 1,
      type: 'training',
      request_id: id,
      phase: 'done',
      progress: 1,
      rows: { device: 1, gateway: 1 },
    };
    await agent.say(topics.event('gw-1'), done);
    await until('the end', async () => (await get<Training>(`/api/v1/trainings/${id}`)).finished_at);
    await post('/start');
    const port = String(mqttPort());
    await collector.stop();
    await start(port);
    expect(await get<StatusView>('/status')).toMatchObject({
      detecting: true,
      trained: { autoencoder: true },
    });
    const [known, stranger] = [await Agent.connect('gw-1'), await Agent.connect('gw-2')];
    await known.send({ sequence: 500 });
    await stranger.send({ sequence: 1 });
    await until('both acknowledged', () => known.acked(500) && stranger.acked(1));
    const of = async (agentId: string) =>
      (await get<{ results: WindowView[] }>(`/recent-results?limit=1&agent=${agentId}`)).results[0]!;
    expect((await of('gw-1')).autoencoder.score).toEqual(expect.any(Number));
    expect((await of('gw-2')).autoencoder.score).toBeNull();
  });

  it('goes on after a restart with what is rare for a line and with its drift, and begins anew from a damaged file', async () => {
    const agent = await Agent.connect();
    await agent.introduce();
    await sendQuiet(agent, 1, 70);
    const { id } = await post<Training>('/train', { duration_seconds: 0, use_history: true, epochs: 5 });
    const rows = { device: 70, gateway: 70 };
    const done = { v: 1, type: 'training', request_id: id, phase: 'done', progress: 1, rows };
    await agent.say(topics.event('gw-1'), done);
    await until('the end', async () => (await get<Training>(`/api/v1/trainings/${id}`)).finished_at);
    await post('/start');
    const apart = Array.from({ length: 150 }, (_, n) =>
      makeWindow({ end: at(1000 + 30 * n), features: makeFeatures(1, n) }),
    );
    await agent.send({ sequence: 500, windows: apart });
    await until('the batch acknowledged', () => agent.acked(500));
    const files = ['device-tails.json', 'drift.json'].map((name) => join(folder, name));
    const kept = () => Promise.all(files.map((path) => readFile(path, 'utf8')));
    const drift = async () =>
      (await get<{ models: ModelView[] }>('/models')).models.find(({ name }) => name === 'autoencoder')!
        .drift;
    const before = await drift();
    expect(before).toMatchObject([{ agent: 'gw-1', scope: 'device', windows: 150 }]);
    await collector.stop();
    const known = await kept();
    expect(JSON.parse(known[0]!.split('\n')[1]!).lines).toMatchObject([{ count: 150 }]);
    await start();
    expect(await drift()).toEqual(before);
    await collector.stop();
    expect(await kept()).toEqual(known);
    for (const path of files) await truncate(path, 1000);
    await start();
    expect(await drift()).toEqual([]);
  });

  it('keeps the opinion on an agent that was away when the others were trained again', async () => {
    const [there, away] = [await Agent.connect('gw-1'), await Agent.connect('gw-2')];
    await there.introduce();
    await sendQuiet(there, 1, 70);
    await sendQuiet(away, 1, 70);
    const train = async (body: object, meanwhile: () => Promise<void>) => {
      const { id: request_id } = await post<Training>('/train', { epochs: 5, ...body });
      await meanwhile();
      const rows = { device: 70, gateway: 70 };
      const done = { v: 1, type: 'training', request_id, phase: 'done', progress: 1, rows };
      await there.say(topics.event('gw-1'), done);
      return until('the end', async () => {
        const training = await get<Training>(`/api/v1/trainings/${request_id}`);
        return training.finished_at === null ? null : training;
      });
    };
    await train({ duration_seconds: 0, use_history: true }, async () => {});
    const ended = await train({ duration_seconds: 1 }, () => sendQuiet(there, 71, 70));
    expect(ended.autoencoders.map(({ state }) => state)).toEqual(['done', 'done']);
    expect(ended.message).toBeNull();
    await post('/start');
    await away.send({ sequence: 100 });
    await until('the batch acknowledged', () => away.acked(100));
    const [view] = (await get<{ results: WindowView[] }>('/recent-results?limit=1&agent=gw-2')).results;
    expect(view?.autoencoder.score).toEqual(expect.any(Number));
  });

  it('says in words that there is too little to learn from', async () => {
    const agent = await Agent.connect();
    await agent.introduce();
    await sendQuiet(agent, 1, 5);
    await until('the agent known', async () => (await get<StatusView>('/status')).agents[0]?.version);
    const { id } = await post<Training>('/train', { duration_seconds: 0, use_history: true });
    const event = {
      v: 1,
      type: 'training',
      request_id: id,
      phase: 'failed',
      progress: 1,
      rows: { device: 5, gateway: 5 },
    };
    await agent.say(topics.event('gw-1'), { ...event, message: '5 windows are too few' });
    const ended = await until('the end', async () => {
      const training = await get<Training>(`/api/v1/trainings/${id}`);
      return training.finished_at === null ? null : training;
    });
    expect(ended.state).toBe('failed');
    expect(ended.message).toContain('60 are needed');
  });

  it('marks a training that a stop interrupted as failed', async () => {
    const agent = await Agent.connect();
    await agent.introduce();
    await until('the agent known', async () => (await get<StatusView>('/status')).agents[0]?.version);
    const { id } = await post<Training>('/train', { duration_seconds: 600 });
    await collector.stop();
    await start();
    const training = await get<Training>(`/api/v1/trainings/${id}`);
    expect(training).toMatchObject({ state: 'failed', message: 'The collector restarted.' });
  });
});

describe('what agents and clients are told', () => {
  it('the desired state is retained for agents that come later', async () => {
    await post('/model', { model_name: 'autoencoder' });
    // What is asked for may reach the broker a moment after the answer.
    const desired = await until('the desired state', async () => {
      const agent = await Agent.connect();
      const { payload } = await until('what is retained', () =>
        agent.heard.find(({ topic, retain }) => topic === topics.desired('fleet') && retain),
      );
      const retained = desiredSchema.parse(JSON.parse(payload));
      return retained.active_model === 'autoencoder' ? retained : null;
    });
    expect(desired).toEqual({ v: 1, detecting: false, active_model: 'autoencoder' });
  });

  it('the alert budget is desired of the whole fleet where it is set here', async () => {
    await collector.stop();
    await start('0', '0', { budget_per_device_per_day: '2' });
    const agent = await Agent.connect();
    const desired = await until('the desired state', () =>
      agent.heard.find(({ topic, retain }) => topic === topics.desired('fleet') && retain),
    );
    expect(desiredSchema.parse(JSON.parse(desired.payload))).toMatchObject({ budget: 2 });
  });

  it('tells of the adaptive baseline where it runs, by the agent’s version and features', async () => {
    const agent = await Agent.connect();
    await agent.introduce();
    const learning = async () => {
      const { models } = await get<{ models: ModelView[] }>('/models');
      return models.find(({ name }) => name === 'adaptive_baseline')!.learning ?? [];
    };
    await until('the agent', async () => (await learning()).length > 0);
    expect((await learning())[0]).toMatchObject({
      agent: 'gw-1',
      version: expect.stringMatching(/./),
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      started_at: expect.stringMatching(/Z$/),
    });
  });

  it('a candidate that does not exist is refused, and nothing has changed', async () => {
    const answer = await post('/model', { model_name: 'ensemble', candidate: 'ab'.repeat(32) });
    expect(answer).toMatchObject({ status: 404, code: 'not_found' });
    expect(await post('/model', { model_name: 'ensemble', candidate: 'nothing' })).toMatchObject({
      status: 400,
    });
    expect((await get<{ models: unknown[] }>('/models')).models).toHaveLength(4);
  });

  it('the feed begins with a snapshot and goes on with updates that fit the contract, without a gap', async () => {
    const agent = await Agent.connect();
    await agent.introduce();
    await agent.send({ sequence: 1 });
    await until('an acknowledgement', () => agent.acked(1));
    const frames: FeedFrame[] = [];
    const socket = new WebSocket(`ws://127.0.0.1:${addresses.httpPort}/ws`);
    cleanups.push(() => socket.terminate());
    socket.on('message', (data) => frames.push(feedFrameSchema.parse(JSON.parse(String(data)))));
    await until('the snapshot', () => frames[0]);
    expect(frames[0]).toMatchObject({ type: 'snapshot', windows: [{ id: `gw-1/${BOOT}/1/0` }] });
    await agent.send({ sequence: 2 });
    await until('its window', () => frames.find((frame) => frame.type === 'lines' && frame.windows?.length));
    await until('an update', () => frames.find(({ type }) => type === 'update'));
    const numbers = frames.flatMap((frame) => (frame.type === 'lines' ? [] : [frame.n]));
    expect(numbers).toEqual(numbers.map((_, turn) => numbers[0]! + turn));
    socket.send('{"type":"resync"}');
    await until('a new snapshot', () => frames.filter(({ type }) => type === 'snapshot').length === 2);
    socket.send('nonsense');
    await until('the end', () => socket.readyState === WebSocket.CLOSED);
  });

  it('the feed sends windows of the watched lines alone, compressed where the client can', async () => {
    const agent = await Agent.connect();
    await agent.introduce();
    await agent.send({ sequence: 1 });
    await until('an acknowledgement', () => agent.acked(1));
    const frames: FeedFrame[] = [];
    const socket = new WebSocket(`ws://127.0.0.1:${addresses.httpPort}/ws?lines=none`);
    cleanups.push(() => socket.terminate());
    socket.on('message', (data) => frames.push(feedFrameSchema.parse(JSON.parse(String(data)))));
    await until('the snapshot', () => frames[1]);
    expect(socket.extensions).toContain('permessage-deflate');
    expect(frames[0]).not.toHaveProperty('windows');
    const { lines = [] } = frames[0] as SnapshotFrame;
    expect(lines[0]?.slice(0, 3)).toEqual([0, 'gw-1', 'modem-1']);
    expect(frames[1]).toMatchObject({ type: 'lines', watching: [] });
    socket.send('{"type":"watch","lines":["gw-1/modem-1"]}');
    const isAnswer = (frame: FeedFrame) => frame.type === 'lines' && frame.watching?.length === 1;
    await until('the answer', () => frames.some(isAnswer));
    await agent.send({ sequence: 2 });
    await until('its window', () => frames.find((frame) => frame.type === 'lines' && frame.windows?.length));
  });

  it.each([
    ['what is no line', 'gw-1'],
    ['all beside others', 'all&lines=none'],
    ['no agent’s id', 'GW/x'],
    ['more than fifty', `${'gw-1/a&lines='.repeat(50)}gw-1/a`],
  ])('the feed refuses %s to be watched, before it becomes a WebSocket', async (_, lines) => {
    const socket = new WebSocket(`ws://127.0.0.1:${addresses.httpPort}/ws?lines=${lines}`);
    const error = await new Promise<Error>((resolve) => socket.on('error', resolve));
    expect(error.message).toContain('400');
  });

  it('refuses a WebSocket with the problem as body, before it becomes one', async () => {
    const ask = (path: string, host = '127.0.0.1') =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTcp(addresses.httpPort, '127.0.0.1');
        let answer = '';
        socket.on('data', (data) => {
          answer += data;
        });
        socket.on('close', () => resolve(answer));
        socket.on('error', reject);
        const upgrade = 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13';
        socket.write(
          `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n${upgrade}\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
        );
      });
    for (const [answer, status, code] of [
      [await ask('/ws?topics=everything'), 400, 'invalid_request'],
      [await ask('/ws', 'evil.example'), 421, 'forbidden_host'],
      [await ask('/ws', 'a b'), 400, 'invalid_request'],
      [await ask('/nowhere'), 404, 'not_found'],
    ] as const) {
      const [head, body = ''] = answer.split('\r\n\r\n');
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(head).toContain('application/problem+json');
      expect(JSON.parse(body)).toMatchObject({ status, code });
    }
  });

  it('refuses the feed to pages of other origins', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${addresses.httpPort}/ws`, {
      origin: 'https://evil.example',
    });
    const error = await new Promise<Error>((resolve) => socket.on('error', resolve));
    expect(error.message).toContain('403');
  });
});

describe('surroundings', () => {
  it.each([
    ['http.port', 'LINEHERON_HTTP_PORT', () => [String(addresses.httpPort), '0']],
    ['mqtt.port', 'LINEHERON_MQTT_PORT', () => ['0', String(mqttPort())]],
  ])('a taken port names the setting %s and %s', async (setting, variable, ports) => {
    const [httpPort, brokerPort] = ports() as [string, string];
    const other = await mkdtemp(join(tmpdir(), 'lineheron-other-'));
    cleanups.push(() => rm(other, { recursive: true, force: true }));
    const second = new Collector({
      config: loadConfig({ flags: { data_dir: other, 'http.port': httpPort, 'mqtt.port': brokerPort } }),
      log: createLogger('silent'),
      version: '0.1.0',
      onFatal: (error) => fatal.push(error),
    });
    const failed = await second.start().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ConfigError);
    expect(String(failed)).toContain(setting);
    expect(String(failed)).toContain(variable);
  });
});
