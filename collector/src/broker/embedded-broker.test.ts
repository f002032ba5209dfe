/** The broker on a real port, its thread from the compiled sources. */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedBroker } from './embedded-broker.js';

const OWNER = { clientId: 'collector-1', secret: 'only the collector knows' };
const OWNER_LOGIN = { clientId: OWNER.clientId, username: OWNER.clientId, password: OWNER.secret };
const MESSAGES = 200;

let broker: EmbeddedBroker;
let url: string;
const clients: MqttClient[] = [];
const problems: string[] = [];

beforeEach(async () => {
  problems.length = 0;
  broker = new EmbeddedBroker(
    {
      host: '127.0.0.1',
      port: 0,
      owner: OWNER,
    },
    (error) => problems.push(error.message),
    (message) => problems.push(message),
  );
  url = `mqtt://127.0.0.1:${await broker.start()}`;
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
  await broker.stop();
});

async function connect(options: IClientOptions = {}): Promise<MqttClient> {
  const client = mqtt.connect(url, { reconnectPeriod: 0, ...options });
  clients.push(client);
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
  });
  client.on('error', () => {});
  return client;
}

/** Resolves to the first `amount` payloads. */
function hear(client: MqttClient, amount: number): Promise<string[]> {
  const heard: string[] = [];
  return new Promise((resolve) => {
    client.on('message', (_topic, payload) => {
      if (heard.push(payload.toString()) === amount) resolve(heard);
    });
  });
}

/** Subscribes, and reads nothing from its first message on until `wake` is called. */
async function sleeper(options: IClientOptions) {
  const client = await connect(options);
  let wake = () => {};
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  client.handleMessage = (_packet, done) => void woken.then(() => done());
  await client.subscribeAsync('load/#', { qos: 1 });
  return { client, wake };
}

async function publishLoad(): Promise<void> {
  const publisher = await connect();
  const payload = Buffer.alloc(100 * 1024, 'x');
  const sent = Array.from({ length: MESSAGES }, (_, n) =>
    publisher.publishAsync(`load/${n}`, payload, { qos: 1 }),
  );
  await Promise.all(sent);
}

describe('the embedded broker', () => {
  it('waits for its busy owner and delivers everything, where it cuts anybody else', async () => {
    // The owner comes first, so its time would be over first.
    const owner = await sleeper(OWNER_LOGIN);
    const other = await sleeper({});
    const heard = hear(owner.client, MESSAGES);
    const sent = publishLoad();
    await expect.poll(() => broker.refused.get('slow_client'), { timeout: 10_000 }).toBe(1);
    owner.wake();
    expect(await heard).toHaveLength(MESSAGES);
    await sent;
    expect(owner.client.connected).toBe(true);
    other.wake();
  }, 20_000);

  it('lets nobody bear its owner’s id without the secret', async () => {
    const owner = await connect(OWNER_LOGIN);
    await expect(connect({ clientId: OWNER.clientId })).rejects.toThrow(/bad username or password/i);
    expect(owner.connected).toBe(true);
  });
});
