/** An agent whose broker is away, refuses it, has a bad certificate or another agent of the same id. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { topics } from '@lineheron/models';
import mqtt from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Part } from '../support/process.js';
import { findProgram } from '../support/programs.js';
import { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const openssl = findProgram('openssl');
const SOURCE = { type: 'generate', devices: 1, interval_seconds: 0.1 };

let stack: Stack;

beforeEach(async () => {
  stack = await Stack.create();
});
afterEach(() => stack.close());

const linesWith = (part: Part, text: string) => part.output.split('\n').filter((line) => line.includes(text));

/** It tries for a while, says why once, and goes on gathering: its end says how much waits. */
async function triesInVain(agent: Part, why: RegExp): Promise<void> {
  await waitFor('it to say why', () => linesWith(agent, 'cannot reach the broker').length > 0);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const told = linesWith(agent, 'cannot reach the broker');
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(why);
  expect(agent.running).toBe(true);
  expect(await agent.stop()).toBe(0);
}

/** Self-signed, of 2020, for 127.0.0.1: only `openssl ca` lets one choose both dates. */
async function expiredCertificate(file: (name: string) => string): Promise<void> {
  const ca = ['[ca]', 'default_ca=d', '[d]', `database=${file('index')}`, `new_certs_dir=${stack.folder}`];
  const rules = [
    'rand_serial=yes',
    'default_md=sha256',
    'policy=p',
    'x509_extensions=x',
    '[p]',
    'commonName=supplied',
  ];
  await writeFile(file('ca.conf'), [...ca, ...rules, '[x]', 'subjectAltName=IP:127.0.0.1', ''].join('\n'));
  await writeFile(file('index'), '');
  const run = (...args: string[]) => execFileSync(openssl!, args, { stdio: 'ignore' });
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', file('key.pem')];
  run('req', '-new', ...key, '-subj', '/CN=127.0.0.1', '-out', file('request.pem'));
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];
  const files = [
    '-keyfile',
    file('key.pem'),
    '-in',
    file('request.pem'),
    '-out',
    file('cert.pem'),
    '-notext',
  ];
  run('ca', '-selfsign', '-batch', '-config', file('ca.conf'), ...dates, ...files);
}

describe('an agent without its broker', () => {
  it('says once why nobody answers, keeps what it gathers, and delivers it when somebody does', async () => {
    const agent = await stack.agent('gw-1', { source: SOURCE });
    await triesInVain(agent, /nobody listens there/);
    await stack.collector();
    await agent.start();
    await waitFor('what was gathered before', async () => {
      const windows = await stack.storedWindows('gw-1');
      return new Set(windows.map(({ id }) => id.split('/')[1])).size === 2;
    });
  }, 60_000);

  it('says once that its password is refused', async () => {
    await stack.broker('secret');
    const mqttConfig = { url: stack.mqttUrl, username: 'gw', password: 'wrong' };
    const agent = await stack.agent('gw-1', { source: SOURCE, mqtt: mqttConfig });
    await triesInVain(agent, /refuses the login: check mqtt\.username/);
    expect(agent.output).not.toContain('wrong');
  });

  it.skipIf(!openssl)(
    'says once that the certificate has expired (skipped without openssl)',
    async () => {
      const file = (name: string) => join(stack.folder, name);
      await expiredCertificate(file);
      await stack.broker(file('key.pem'), file('cert.pem'));
      const url = stack.mqttUrl.replace('mqtt:', 'mqtts:');
      const trusting = { url, ca_file: file('cert.pem') };
      const agent = await stack.agent('gw-1', { source: SOURCE, mqtt: trusting });
      await triesInVain(agent, /certificate has expired/);
    },
    60_000,
  );
});

describe('two agents with one id', () => {
  it('both notice, tell once, and leave each other alone instead of fighting', async () => {
    await stack.broker();
    const both = [
      await stack.agent('first', { agent_id: 'gw-1', source: SOURCE }),
      await stack.agent('second', { agent_id: 'gw-1', source: SOURCE }),
    ];
    const notices = () =>
      both.map((agent) => linesWith(agent, 'another agent uses the same agent_id').length);
    await waitFor('both to notice', () => notices().every((count) => count === 1), 25_000);
    const connects = () => both.flatMap((agent) => linesWith(agent, 'connected to the broker')).length;
    const before = connects();
    expect(before).toBeLessThanOrEqual(8);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(connects()).toBe(before);
    expect(notices()).toEqual([1, 1]);
  }, 60_000);
});

describe('whatever is said on any topic', () => {
  it('is refused and counted by the agent, which goes on', async () => {
    await stack.collector();
    const agent = await stack.agent('gw-1', { source: SOURCE });
    await stack.agentsOnline(1);
    const client = await mqtt.connectAsync(stack.mqttUrl, { protocolVersion: 4 });
    const bad = [
      '',
      'no JSON',
      '[]',
      '{"v":9}',
      `{"v":1,"type":"send_lines","request_id":"${'x'.repeat(99)}"}`,
    ];
    const hostile = [
      ...bad,
      '\u0000\uffff',
      '['.repeat(100_000),
      JSON.stringify({ v: 1, boot: '0'.repeat(16) }),
    ];
    const kinds = [topics.ack, topics.verdict, topics.command, topics.desired, topics.info, topics.status];
    for (const topic of [
      ...kinds.map((kind) => kind('gw-1')),
      'lineheron/v1/fleet/model/a/isolation_forest',
    ]) {
      for (const payload of hostile) await client.publishAsync(topic, payload, { qos: 1 });
    }
    await client.endAsync();
    const before = (await stack.storedWindows('gw-1')).length;
    await waitFor('windows after it', async () => (await stack.storedWindows('gw-1')).length > before + 5);
    expect(agent.running).toBe(true);
    await agent.stop();
    const info = await waitFor('its last words', async () => {
      const { agents } = await stack.status();
      return agents.find(({ id }) => id === 'gw-1' && (agents[0]?.counters.inbound_refused ?? 0) > 0);
    });
    // Of what is desired an empty message takes a wish back, and unknown fields are left.
    expect(info.counters.inbound_refused).toBeGreaterThan(3 * hostile.length);
  }, 60_000);
});
