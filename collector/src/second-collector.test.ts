/** Two collectors that meet: on one broker, on the embedded broker of one of them, and in one folder. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COLLECTOR_TOPIC, collectorClaimSchema, topics } from '@lineheron/models';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BusyError } from './busy-error.js';
import { type Addresses, Collector } from './collector.js';
import { loadConfig } from './config.js';
import { createLogger } from './log.js';
import { makeBatch } from './testing/messages.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

let folder: string;
let aedes: Aedes;
let server: Server;
let url: string;
/** Topics of what clients published, in order, and the claim's payloads. */
const said: string[] = [];
const cleanups: Array<() => Promise<unknown> | unknown> = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-second-'));
  aedes = await Aedes.createBroker({ drainTimeout: 1000 });
  said.length = 0;
  aedes.on('publish', ({ topic }, client) => client && said.push(topic));
  server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `mqtt://127.0.0.1:${(server.address() as { port: number }).port}`;
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await new Promise<void>((resolve) => aedes.close(() => resolve()));
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const external = () => ({ 'mqtt.embedded': 'false', 'mqtt.url': url });

function build(name: string, more: Record<string, string> = {}): Collector {
  const flags = { data_dir: join(folder, name), 'http.port': '0', 'mqtt.port': '0', ...more };
  const collector = new Collector({
    config: loadConfig({ flags }),
    log: createLogger('silent'),
    version: '0.1.0',
    onFatal: (error) => {
      throw error;
    },
  });
  cleanups.push(() => collector.stop());
  return collector;
}

const ready = async ({ httpPort }: Addresses) => {
  const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`);
  const { detail } = (await answer.json()) as { detail?: string };
  return { status: answer.status, detail };
};

async function listen(at: string) {
  const client = await mqtt.connectAsync(at, { protocolVersion: 4, reconnectPeriod: 0 });
  cleanups.push(() => client.endAsync(true));
  const heard: Array<{ topic: string; text: string }> = [];
  client.on('message', (topic, payload) => heard.push({ topic, text: payload.toString() }));
  await client.subscribeAsync('lineheron/v1/#', { qos: 1 });
  return { client, heard };
}

it('a second collector on a broker refuses to start, says which serves it, and changes nothing', async () => {
  const first = await build('first', external()).start();
  expect((await ready(first)).status).toBe(200);
  const { client, heard } = await listen(url);
  said.length = 0;
  const error = await build('second', external())
    .start()
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BusyError);
  expect((error as Error).message).toMatch(
    /^another collector serves this broker \(host .+, process \d+, version 0\.1\.0, since \d{4}-.*\): stop it, or set mqtt\.url/,
  );
  expect(new Set(said)).toEqual(new Set([COLLECTOR_TOPIC]));
  expect(await readdir(join(folder, 'second'))).toEqual([]);
  const claims = heard.filter(({ topic, text }) => topic === COLLECTOR_TOPIC && text !== '');
  const servers = claims
    .map(({ text }) => collectorClaimSchema.parse(JSON.parse(text)))
    .filter(({ state }) => state === 'serving');
  expect(new Set(servers.map(({ instance }) => instance)).size).toBe(1);
  await client.publishAsync(topics.score('gw-1'), JSON.stringify(makeBatch()), { qos: 1 });
  await expect.poll(() => heard.some(({ topic }) => topic === topics.ack('gw-1'))).toBe(true);
  expect(heard.filter(({ topic }) => topic === topics.ack('gw-1'))).toHaveLength(1);
  expect((await ready(first)).status).toBe(200);
}, 30_000);

it('of two that start at once one serves, and its end lets the next one in at once', async () => {
  const both = [build('first', external()), build('second', external())];
  const ends = await Promise.allSettled(both.map((collector) => collector.start()));
  expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  for (const collector of both) await collector.stop();
  const { heard } = await listen(url);
  expect(heard.filter(({ topic, text }) => topic === COLLECTOR_TOPIC && text !== '')).toEqual([]);
  const third = await build('third', external()).start();
  expect((await ready(third)).status).toBe(200);
}, 30_000);

it('one that comes back to find that another took over stands by, not ready, and serves again after it', async () => {
  const first = build('first', external());
  const firstAt = await first.start();
  // The broker is away, and comes back to the second first.
  const port = Number(new URL(url).port);
  await new Promise<void>((resolve) => aedes.close(() => resolve()));
  await new Promise((resolve) => server.close(resolve));
  aedes = await Aedes.createBroker({ drainTimeout: 1000 });
  let isFirstShutOut = true;
  aedes.preConnect = (client, packet, done) => {
    if (!isFirstShutOut || packet.clientId !== firstId) return done(null, true);
    client.conn.destroy();
  };
  const firstId = (first as unknown as { parts: { link: { clientId: string } } }).parts.link.clientId;
  server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const second = build('second', external());
  const secondAt = await second.start();
  expect((await ready(secondAt)).status).toBe(200);
  isFirstShutOut = false;
  await expect
    .poll(async () => (await ready(firstAt)).detail, { timeout: 10_000 })
    .toMatch(/^Not serving: another collector serves this broker/);
  expect((await ready(firstAt)).status).toBe(503);
  const { client, heard } = await listen(url);
  await client.publishAsync(topics.score('gw-1'), JSON.stringify(makeBatch()), { qos: 1 });
  const acks = () => heard.filter(({ topic }) => topic === topics.ack('gw-1')).length;
  await expect.poll(acks, { timeout: 10_000 }).toBe(1);
  await second.stop();
  await expect.poll(async () => (await ready(firstAt)).status, { timeout: 20_000 }).toBe(200);
  expect(acks()).toBe(1);
}, 60_000);

it('a collector that is pointed at the embedded broker of another refuses to start', async () => {
  const { mqttUrl } = await build('first').start();
  const second = build('second', { 'mqtt.embedded': 'false', 'mqtt.url': mqttUrl });
  await expect(second.start()).rejects.toThrow(BusyError);
}, 30_000);

it('a second process in one folder ends with 75 and says who holds it', async () => {
  const flags = ['--data-dir', join(folder, 'shared'), '--port', '0', '--mqtt-port', '0'];
  const run = () => {
    const child = spawn(process.execPath, [MAIN, 'run', ...flags], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { PATH: process.env.PATH },
    });
    cleanups.push(() => child.kill('SIGKILL'));
    let errors = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, errors }))) };
  };
  const first = run();
  await new Promise((resolve) => first.child.on('message', resolve));
  expect(await run().ended).toEqual({
    code: 75,
    errors: `lineheron-collector: data_dir ${join(folder, 'shared')} is in use by another collector (process ${first.child.pid}): stop it, or set data_dir (LINEHERON_DATA_DIR) to another folder\n`,
  });
  first.child.kill('SIGKILL');
  await first.ended;
  const third = run();
  await new Promise((resolve) => third.child.on('message', resolve));
}, 30_000);
