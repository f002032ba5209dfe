/**
 * The built program with the network pulled: in a network namespace of its own, whose default route goes while it
 * runs. Needs the right to make one (skipped by name where that is missing).
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Isolated, NAMESPACE, SILENT_LINE } from './test-namespace.js';
import { until as untilSo, withFolder } from './test-support.js';

const PING = ['/usr/bin/ping', '/bin/ping'].some((path) => existsSync(path));

const FAR = '203.0.113.1';
const targets = [
  { name: 'by-tcp', type: 'tcp', address: `${FAR}:80` },
  { name: 'by-http', type: 'http', url: `http://${FAR}/` },
  { name: 'by-https', type: 'http', url: `https://${FAR}/` },
  { name: 'by-dns', type: 'dns', server: FAR, query: 'example.org' },
  ...(PING ? [{ name: 'by-icmp', type: 'icmp', address: FAR }] : []),
  { name: 'by-name', type: 'tcp', address: 'no-such-name.invalid:80' },
  { name: 'v6-dns', type: 'dns', server: '[2001:db8::1]', query: 'example.org' },
];
const probe = { type: 'probe', interval_seconds: 1, timeout_seconds: 0.3, samples: 2, targets };

let program: Isolated | null = null;

afterEach(async () => {
  await program?.kill();
  program = null;
});

const output = () => program?.output ?? '';
const inside = (...command: string[]) => program!.inside(...command);
const until = <T>(what: string, ask: () => T) =>
  untilSo(what, ask).catch((error: Error) => {
    throw new Error(`${error.message}: ${output()}`);
  });

async function start(folder: string, command: string[], sources: object[]): Promise<Isolated> {
  const path = join(folder, 'agent.yaml');
  const mqtt = { url: `mqtt://${FAR}:1883` };
  await writeFile(path, JSON.stringify({ agent_id: 'gw-1', data_dir: join(folder, 'data'), mqtt, sources }));
  program = new Isolated([...command, '--config', path], SILENT_LINE);
  return program;
}

/** Records of a device that `tap` has shown. */
const recordsOf = (device: string, since = 0) =>
  output()
    .slice(since)
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes(`"device_id":"${device}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe.skipIf(!NAMESPACE)('with the network pulled (skipped where no namespace can be made)', () => {
  it(
    'every kind of probe tells a loss, before and after the route is gone; a name that is not known is none',
    () =>
      withFolder(async (folder) => {
        await start(folder, ['tap'], [probe]);
        const reachable = targets.map(({ name }) => name).filter((name) => name !== 'by-name');
        await until('losses of all', () => reachable.every((name) => recordsOf(name).length > 0));
        expect(recordsOf('by-tcp')[0]).toMatchObject({ packet_loss_pct: 100, error_code: 'timeout' });
        const pulled = output().length;
        inside('ip', 'route', 'del', 'default');
        const gone = (name: string) =>
          recordsOf(name, pulled).find(({ error_code }) => /unreach/.test(String(error_code)));
        await until('what is unreachable', () => reachable.every((name) => gone(name)));
        inside('ip', 'link', 'del', 'line0');
        const deleted = output().length;
        await until('still losses', () => reachable.every((name) => recordsOf(name, deleted).length > 0));
        for (const name of reachable) {
          for (const record of recordsOf(name)) expect(record.packet_loss_pct).toBe(100);
        }
        expect(recordsOf('by-name')).toEqual([]);
        expect(output()).toMatch(/cannot measure by-name: (no name server answers|the name is not known)/);
      }),
    40_000,
  );

  it(
    'the host source alone tells no loss where it has nothing to ask',
    () =>
      withFolder(async (folder) => {
        await start(folder, ['tap'], [{ type: 'host', device_id: 'me' }]);
        await until('two records', () => recordsOf('me').length >= 2);
        inside('ip', 'route', 'del', 'default');
        const pulled = output().length;
        await until('more records', () => recordsOf('me', pulled).length >= 2);
        for (const record of recordsOf('me')) {
          expect(record.packet_loss_pct ?? 0).toBe(0);
          expect(record).not.toHaveProperty('latency_ms');
        }
      }),
    40_000,
  );

  it(
    'the daemon goes on with all sources, and none of them fails',
    () =>
      withFolder(async (folder) => {
        const log = join(folder, 'modem.log');
        await writeFile(log, '');
        const daemon = await start(
          folder,
          ['run'],
          [
            probe,
            { type: 'host', device_id: 'me', interval_seconds: 0.5 },
            { type: 'tail', paths: [log] },
            { type: 'syslog', udp_port: 5514, tcp_port: 5514 },
            { type: 'generate', devices: 1 },
          ],
        );
        await until('the start', () => output().includes('is running'));
        inside('ip', 'route', 'del', 'default');
        inside('ip', 'link', 'set', 'line0', 'down');
        await until('a warning that names the target', () => output().includes('cannot measure by-name'));
        inside('ip', 'link', 'set', 'lo', 'down');
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        expect(daemon.process.exitCode).toBeNull();
        expect(output()).not.toMatch(/a source failed|a fault of the program/);
        expect((await daemon.stop()).code).toBe(0);
      }),
    40_000,
  );
});
