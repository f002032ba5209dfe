/** Which missing rights the doctor finds, with brokers that refuse in different ways, and that it leaves nothing. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../config-load.js';
import { TestBroker } from '../test-broker.js';
import { until, withFolder } from '../test-support.js';
import { checkBroker } from './broker.js';

const config = (url: string) =>
  parseConfig(JSON.stringify({ agent_id: 'gw-1', data_dir: '/d', mqtt: { url }, source: { type: 'host' } }));
const check = async (url: string) => {
  const found = await checkBroker(config(url), Date.now());
  return found.map(({ level, what }) => `${level} ${what}`);
};

describe('the rights at a broker that closes connections, or refuses in its answer', () => {
  let broker: TestBroker;
  afterEach(() => broker.stop());

  it('are all there at an open one, and nobody is given anything', async () => {
    broker = await TestBroker.start('gw-1');
    broker.say('lineheron/v1/gw-1/info', { boot: 'x' }, true);
    broker.say('lineheron/v1/fleet/desired', { v: 1 }, true);
    const found = await check(broker.url);
    expect(found).toEqual([
      expect.stringMatching(/^good the broker at .* took us without a login/),
      'good it lets us use all of our topics',
      'good it gives us what the collector wishes of the fleet',
    ]);
    expect(broker.texts).toEqual([]);
  });

  it('are told where they are missing', async () => {
    broker = await TestBroker.start('gw-1', undefined, {
      subscribe: (topic) => topic !== 'lineheron/v1/fleet/desired',
      publish: (topic) => !topic.endsWith('/score'),
    });
    const found = await check(broker.url);
    expect(found.filter((one) => one.startsWith('bad'))).toEqual([
      'bad the broker does not let us listen to lineheron/v1/fleet/desired',
      'bad the broker does not let us publish to lineheron/v1/gw-1/score',
    ]);
  });

  it('counts a wish that does not reach an agent whose batches are acknowledged as a missing right', async () => {
    broker = await TestBroker.start('gw-1');
    broker.say('lineheron/v1/gw-1/info', { spool: { batches: 0 }, counters: { batches: 7 } }, true);
    expect(await check(broker.url)).toContain(
      'bad a collector answers this agent, but lineheron/v1/fleet/desired does not reach us: it never detects',
    );
  });
});

const mosquitto = spawnSync('mosquitto', ['-h']).error === undefined;

describe.skipIf(!mosquitto)('the rights at mosquitto (needs mosquitto)', () => {
  let child: ChildProcess | undefined;
  afterEach(() => {
    child?.kill();
    child = undefined;
  });

  /** A broker with these rights; its address. */
  async function started(folder: string, rights: string): Promise<string> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    const conf = `listener ${port} 127.0.0.1\nallow_anonymous true\nacl_file ${join(folder, 'acl')}\nuser root\n`;
    await writeFile(join(folder, 'acl'), rights);
    await writeFile(join(folder, 'm.conf'), conf);
    child = spawn('mosquitto', ['-c', join(folder, 'm.conf')], { stdio: 'ignore' });
    const url = `mqtt://127.0.0.1:${port}`;
    const args = ['-p', String(port), '-r', '-t', 'lineheron/v1/fleet/desired', '-m', '{"v":1}'];
    await until('mosquitto takes messages', () => spawnSync('mosquitto_pub', args).status === 0);
    return url;
  }

  it('names what the agent may not publish, though mosquitto acknowledges it', () =>
    withFolder(async (folder) => {
      const rights = ['status', 'info', 'event', 'anomaly', 'state/#'];
      const lines = rights.map((kind) => `topic write lineheron/v1/gw-1/${kind}\n`).join('');
      const url = await started(
        folder,
        `topic read lineheron/v1/#\ntopic write lineheron/v1/fleet/#\n${lines}`,
      );
      const found = await checkBroker(config(url), Date.now());
      expect(found.filter(({ level }) => level === 'bad')).toEqual([
        {
          level: 'bad',
          what: 'the broker does not let us publish to lineheron/v1/gw-1/score',
          advice: 'allow this agent to write it (mosquitto: "topic write lineheron/v1/gw-1/score")',
        },
      ]);
    }));

  it('says that the wish of the fleet does not come where it may not be read', () =>
    withFolder(async (folder) => {
      const rights = 'topic readwrite lineheron/v1/gw-1/#\ntopic write lineheron/v1/fleet/#\n';
      const found = await checkBroker(config(await started(folder, rights)), Date.now());
      expect(found.at(-1)).toMatchObject({
        level: 'note',
        what: 'nothing on lineheron/v1/fleet/desired yet: without it this agent does not detect',
        advice: expect.stringMatching(/"topic read lineheron\/v1\/fleet\/desired"/),
      });
    }));
});
