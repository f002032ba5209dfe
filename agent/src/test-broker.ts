/** For tests: a real broker in this process that keeps what agents say, and acknowledges batches as a collector does. */
import { createServer, type Server } from 'node:net';
import {
  type AnomalyMessage,
  anomalySchema,
  type ScoreBatch,
  scoreBatchSchema,
  topics,
} from '@lineheron/models';
import { Aedes, type Client } from 'aedes';

export class TestBroker {
  readonly batches = new Map<string, ScoreBatch>();
  readonly anomalies: AnomalyMessage[] = [];
  readonly texts: string[] = [];
  private readonly further: Server[] = [];

  private constructor(
    readonly port: number,
    private readonly server: Server,
    readonly aedes: Aedes,
    private readonly agent: string,
  ) {
    aedes.on('publish', ({ topic, payload }, client) => client && this.received(topic, payload.toString()));
  }

  static async start(
    agent: string,
    authenticate?: (name: string, password: string) => boolean,
    rights?: { subscribe: (topic: string) => boolean; publish: (topic: string) => boolean },
    /** It ends the connection of whoever publishes more. */
    maxBytes = Number.POSITIVE_INFINITY,
  ): Promise<TestBroker> {
    const aedes = await Aedes.createBroker({
      drainTimeout: 1000,
      authorizePublish: (client, { payload }, done) => {
        if (payload.length <= maxBytes) done(null);
        else client?.conn.destroy();
      },
      ...(authenticate && {
        authenticate: (
          _: Client,
          name: string | undefined,
          password: Buffer | undefined,
          done: (e: null, ok: boolean) => void,
        ) => done(null, authenticate(name ?? '', password?.toString() ?? '')),
      }),
    });
    if (rights) {
      aedes.authorizeSubscribe = (_, subscription, done) =>
        done(null, rights.subscribe(subscription.topic) ? subscription : null);
      aedes.authorizePublish = (_, { topic }, done) =>
        done(rights.publish(topic) ? null : new Error('not allowed'));
    }
    const server = createServer(aedes.handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TestBroker((server.address() as { port: number }).port, server, aedes, agent);
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  get windows(): ScoreBatch['windows'] {
    return [...this.batches.values()].flatMap(({ windows }) => windows);
  }

  /** `device time` of every record, each as often as it was delivered under another batch. */
  get records(): string[] {
    return [...this.batches.values()].flatMap(({ records }) =>
      records.map(({ device_id, timestamp }) => `${device_id} ${timestamp}`),
    );
  }

  /** Takes connections at a socket of a file as well. */
  async alsoAt(path: string): Promise<void> {
    const server = createServer(this.aedes.handle);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    this.further.push(server);
  }

  say(topic: string, value: unknown, retain = false): void {
    const payload = Buffer.from(JSON.stringify(value));
    this.aedes.publish({ cmd: 'publish', topic, payload, qos: 1, retain, dup: false }, () => {});
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.aedes.close(() => resolve()));
    for (const server of [this.server, ...this.further]) await new Promise((done) => server.close(done));
  }

  private received(topic: string, text: string): void {
    // An empty message says nothing, as to a collector.
    if (text === '') return;
    this.texts.push(`${topic} ${text}`);
    if (topic === topics.anomaly(this.agent)) this.anomalies.push(anomalySchema.parse(JSON.parse(text)));
    if (topic !== topics.score(this.agent)) return;
    const batch = scoreBatchSchema.parse(JSON.parse(text));
    const { boot, sequence } = batch;
    this.batches.set(`${boot}/${sequence}`, batch);
    this.say(topics.ack(this.agent), { v: 1, ranges: [{ boot, from: sequence, to: sequence }], refused: [] });
  }
}
