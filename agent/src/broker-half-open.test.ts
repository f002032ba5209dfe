/**
 * The built program with a broker that is there only by half: it takes connections and says nothing, or stops to
 * answer without ending the connection. The agent says so, gathers on, ends in time and loses nothing.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startProgram, stopProgram } from './test-agent.js';
import { TestBroker } from './test-broker.js';
import { until, withFolder } from './test-support.js';

/** Relays both directions. While `mute`, it reads and discards everything and keeps the connections open. */
class Muffler {
  mute = false;
  private readonly sockets = new Set<Socket>();
  private constructor(private readonly server: Server) {}

  static async before(broker: TestBroker): Promise<Muffler> {
    const server = createServer();
    const muffler = new Muffler(server);
    server.on('connection', (near) => muffler.join(near, connect(broker.port, '127.0.0.1')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return muffler;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => {});
      from.on('data', (bytes) => this.mute || to.write(bytes));
      from.on('close', () => this.mute || to.destroy());
    }
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

interface Stage {
  broker: TestBroker;
  muffler: Muffler;
  start: () => ReturnType<typeof startProgram>;
}

const onStage = (work: (stage: Stage) => Promise<void>) =>
  withFolder(async (folder) => {
    const broker = await TestBroker.start('gw-1');
    const muffler = await Muffler.before(broker);
    const path = join(folder, 'agent.yaml');
    const config = {
      agent_id: 'gw-1',
      data_dir: join(folder, 'data'),
      mqtt: { url: muffler.url },
      publish_records: 'all',
      sources: [{ type: 'generate', devices: 1, interval_seconds: 0.2 }],
    };
    await writeFile(path, JSON.stringify(config));
    const started: ReturnType<typeof startProgram>[] = [];
    const start = () => {
      const program = startProgram(['run', '--config', path]);
      started.push(program);
      return program;
    };
    await work({ broker, muffler, start }).finally(async () => {
      for (const program of started) await stopProgram(program, 'SIGKILL');
      muffler.close();
      await broker.stop();
    });
  });

/** SIGTERM; 0 and in time. */
async function endsWell(program: ReturnType<typeof startProgram>): Promise<void> {
  const startMs = performance.now();
  expect(await stopProgram(program)).toBe(0);
  expect(performance.now() - startMs).toBeLessThan(3_500);
}

/** Each life's batches without a gap, and no record twice. */
function expectWhole({ batches, records }: TestBroker, lives: number): void {
  const all = [...batches.values()];
  const boots = new Set(all.map(({ boot }) => boot));
  expect(boots.size).toBe(lives);
  for (const life of boots) {
    const made = all.filter(({ boot }) => boot === life).map(({ sequence }) => sequence);
    expect(made.sort((a, b) => a - b)).toEqual(made.map((_, index) => index + 1));
  }
  expect(new Set(records).size).toBe(records.length);
}

const bootsOf = ({ batches }: TestBroker) => new Set([...batches.values()].map(({ boot }) => boot));

describe.concurrent('a broker that is half there', () => {
  it(
    'and never answers CONNECT is reported once; the agent stops in time and delivers everything later',
    () =>
      onStage(async ({ broker, muffler, start }) => {
        muffler.mute = true;
        const deaf = start();
        await until('the reason', () => deaf.text().includes('does not answer them'), 60_000);
        expect(deaf.text().match(/cannot reach the broker/g)).toHaveLength(1);
        expect(broker.batches.size).toBe(0);
        await endsWell(deaf);
        muffler.mute = false;
        const next = start();
        await until('both lives', () => bootsOf(broker).size === 2, 30_000);
        await endsWell(next);
        expectWhole(broker, 2);
      }),
    120_000,
  );

  it(
    'and falls silent without an end is found out, and what it did not answer is sent again',
    () =>
      onStage(async ({ broker, muffler, start }) => {
        const agent = start();
        await until('batches', () => broker.batches.size >= 2, 30_000);
        muffler.mute = true;
        await until('the loss to be found out', () => agent.text().includes('is lost'), 90_000);
        const before = broker.batches.size;
        muffler.mute = false;
        await until('what waited', () => broker.batches.size > before + 20, 60_000);
        await endsWell(agent);
        expectWhole(broker, 1);
      }),
    200_000,
  );

  it(
    'and falls silent does not hold up the end; the next start delivers what it left',
    () =>
      onStage(async ({ broker, muffler, start }) => {
        const agent = start();
        await until('batches', () => broker.batches.size >= 2, 30_000);
        muffler.mute = true;
        const before = broker.batches.size;
        // These are not delivered before the stop.
        await new Promise((resolve) => setTimeout(resolve, 2_500));
        await endsWell(agent);
        expect(broker.batches.size).toBe(before);
        muffler.mute = false;
        const next = start();
        await until('the next life', () => bootsOf(broker).size === 2, 60_000);
        await until('what was left', () => broker.batches.size >= before + 2, 60_000);
        await endsWell(next);
        expectWhole(broker, 2);
      }),
    120_000,
  );
});
