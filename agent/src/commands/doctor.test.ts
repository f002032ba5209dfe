/** What the doctor finds with real brokers, files and folders, and what it says to do. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../config-load.js';
import { checkBroker } from '../doctor/broker.js';
import { bad, type Finding, good, note } from '../doctor/finding.js';
import { checkClock, checkDisk } from '../doctor/machine.js';
import { checkSource } from '../doctor/sources.js';
import { startProgram } from '../test-agent.js';
import { TestBroker } from '../test-broker.js';
import { withFolder } from '../test-support.js';

let broker: TestBroker;

beforeEach(async () => {
  broker = await TestBroker.start('gw-1', (name, password) => name === 'joe' && password === 'right');
});
afterEach(() => broker.stop());

async function doctor(config: object, folder: string, environment: NodeJS.ProcessEnv = {}) {
  const path = join(folder, 'agent.yaml');
  await writeFile(path, JSON.stringify({ agent_id: 'gw-1', data_dir: join(folder, 'data'), ...config }), {
    mode: 0o600,
  });
  const started = startProgram(['doctor', '--json', '--config', path], environment);
  const code = await started.ended;
  const { findings } = JSON.parse(started.text()) as { findings: Finding[] };
  return { code, findings, text: started.text(), worst: findings.filter(({ level }) => level === 'bad') };
}

const line = (extra: object) => `${JSON.stringify({ device_id: 'm1', latency_ms: 20, ...extra })}\n`;

describe('doctor', () => {
  it('finds nothing to mend where all is well, and leaves nothing behind', () =>
    withFolder(async (folder) => {
      const file = join(folder, 'a.log');
      await writeFile(file, line({ timestamp: new Date().toISOString() }));
      await mkdir(join(folder, 'data'), { mode: 0o700 });
      const mqtt = { url: broker.url, username: 'joe' };
      const source = { type: 'tail', paths: [file] };
      const { code, findings, worst } = await doctor({ mqtt, source }, folder, {
        LINEHERON_MQTT_PASSWORD: 'right',
      });
      expect(worst).toEqual([]);
      expect(code).toBe(0);
      const said = findings.map(({ what }) => what).join('\n');
      expect(said).toMatch(/took us as joe in \d+ ms/);
      expect(said).toMatch(/source tail: 1 of 1 lines of a sample are understood/);
      expect(await readdir(join(folder, 'data'))).toEqual([]);
    }));

  it('says what to do about every thing that is wrong, and tells no secret', () =>
    withFolder(async (folder) => {
      const files = ['text.log', 'ahead.log'].map((name) => join(folder, name));
      await writeFile(files[0]!, 'hello\nworld\n');
      await writeFile(files[1]!, line({ timestamp: new Date(Date.now() + 3_600_000).toISOString() }));
      await writeFile(join(folder, 'secret'), 'hunter2\n');
      await chmod(join(folder, 'secret'), 0o644);
      const sources = [
        { type: 'tail', name: 'text', paths: [files[0]] },
        { type: 'tail', name: 'ahead', paths: [files[1]] },
        { type: 'tail', name: 'folder', paths: [folder] },
        { type: 'tail', name: 'none', paths: [join(folder, 'none.log')] },
      ];
      const mqtt = { url: broker.url, username: 'joe', password_file: 'secret' };
      const { code, worst, text } = await doctor({ mqtt, sources, spool: { max_bytes: 2 ** 50 } }, folder);
      const all = worst.map(({ what, advice }) => `${what} → ${advice}`);
      for (const expected of [
        /secret holds a secret and everybody may read it → chmod o-rwx/,
        /MiB free on its disk.* → free some space, or lower spool\.max_bytes/,
        /refuses the login → mend mqtt\.username/,
        /source text: none of 2 lines is understood: 2 because the line is not JSON \(invalid_json\) → describe the lines by patterns/,
        /source ahead: 1 of 1 lines are more than 5 minutes ahead of this clock → set the clock/,
        /is a folder → name the files in it/,
      ]) {
        expect(all.filter((one) => expected.test(one))).toHaveLength(1);
      }
      expect(all).toHaveLength(6);
      expect(code).toBe(2);
      expect(text).not.toMatch(/hunter2/);
    }));

  it.each([
    ['syslog', '<30>Nov 30 12:00:00 gw-7 dnsmasq[41]: query from 192.0.2.5\n'.repeat(10), 'syslog'],
    [
      'docsis',
      '2026-11-20 06:00:00\t1\t3\t82000200\tNo Ranging Response received - T3 time-out\n'.repeat(10),
      'docsis',
    ],
    [
      'text',
      'rtt 12 ms\n'.repeat(10),
      { type: 'text', device_id: 'm', patterns: ['rtt (?P<latency_ms>\\d+)'] },
    ],
    [
      'csv',
      'm1;12\n'.repeat(10),
      {
        type: 'csv',
        columns: ['device_id', 'latency_ms'],
        delimiter: ';',
        fields: { device_id: 'device_id', latency_ms: 'latency_ms' },
      },
    ],
  ])('reads a sample of %s as the agent would', (_name, lines, format) =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, lines);
      const source = { type: 'tail', paths: [path] };
      const check = (one: object) => {
        const config = parseConfig(JSON.stringify({ agent_id: 'gw-1', data_dir: folder, source: one }));
        return checkSource(config, config.sources[0]!);
      };
      expect((await check({ ...source, format }))[0]).toEqual({
        level: 'good',
        what: 'source tail: 10 of 10 lines of a sample are understood',
      });
      expect((await check(source))[0]).toMatchObject({
        level: 'bad',
        what: expect.stringMatching(/none of 10 lines/),
      });
    }),
  );

  it('proposes the format of lines that are read by another one, and says whose lines they are', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(
        path,
        "Fri Nov 20 10:00:00 2026 daemon.notice netifd: Interface 'wan' is now up\n".repeat(6),
      );
      const found = async (format: string) => {
        const source = { type: 'tail', paths: [path], format };
        const config = parseConfig(JSON.stringify({ agent_id: 'gw-1', data_dir: folder, source }));
        return checkSource(config, config.sources[0]!);
      };
      expect(await found('canonical')).toEqual([
        bad(
          'source tail: none of 6 lines is understood: 6 because the line is not JSON (invalid_json)',
          'syslog understands 6 of 6 lines: set "format: syslog"',
        ),
      ]);
      expect(await found('syslog')).toEqual([
        good('source tail: 6 of 6 lines of a sample are understood'),
        note(
          'source tail: its lines name no device: they are taken as those of gw-1',
          'another name: device_id in the format',
        ),
      ]);
      expect((await found('events'))[1]).toMatchObject({
        level: 'note',
        advice: 'syslog understands 6 of 6 lines, with their times',
      });
    }));

  it('waits for no interval of a source that measures, and tells a variable that is no setting', () =>
    withFolder(async (folder) => {
      await mkdir(join(folder, 'data'), { mode: 0o700 });
      const address = broker.url.replace('mqtt://', '');
      const sources = [
        { type: 'probe', interval_seconds: 3600, targets: [{ name: 'broker', type: 'tcp', address }] },
        { type: 'host', interval_seconds: 3600, target: address },
      ];
      const { code, findings } = await doctor(
        { mqtt: { url: broker.url, username: 'joe' }, sources },
        folder,
        {
          LINEHERON_MQTT_PASSWORD: 'right',
          LINEHERON_MQTT_USER_NAME: 'hunter2',
        },
      );
      expect(code).toBe(0);
      const told = findings.map(({ what }) => what).filter((what) => /^(source|LINEHERON)/.test(what));
      expect(told).toEqual([
        'LINEHERON_MQTT_USER_NAME: unknown environment variable (did you mean "LINEHERON_MQTT_USERNAME"?)',
        'source probe: 1 of 1 lines of a sample are understood',
        'source host: 1 of 1 lines of a sample are understood',
      ]);
    }));

  it('ends with 78 when the configuration itself is wrong', () =>
    withFolder(async (folder) => {
      const { code, worst } = await doctor({ sorce: { type: 'host' } }, folder);
      expect(code).toBe(78);
      expect(worst[0]!.what).toMatch(/sorce: unknown key \(did you mean "source"\?\)/);
    }));

  it('tells a data folder that cannot be one, and a clock that was never set', async () => {
    const config = parseConfig('agent_id: g\ndata_dir: /dev/null\nsource: {type: host}\n');
    expect((await checkDisk(config))[0]).toMatchObject({
      level: 'bad',
      what: expect.stringMatching(/no folder/),
    });
    expect((await checkClock(0))[0]).toMatchObject({
      level: 'bad',
      what: 'the clock says 1970-01-01T00:00:00.000Z',
    });
  });
});

const openssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!openssl)('doctor and TLS (needs openssl)', () => {
  it.each([
    ['expired', -2, 'with-ca', /certificate has expired/, /renew the certificate/],
    ['unknown', 30, 'without', /self.signed/i, /mqtt\.ca_file/],
  ])('tells a certificate that is %s', (_name, days, ca, what, advice) =>
    withFolder(async (folder) => {
      const file = (name: string) => join(folder, name);
      const config =
        '[req]\ndistinguished_name=dn\nx509_extensions=v3\n[dn]\n[v3]\nsubjectAltName=IP:127.0.0.1\nbasicConstraints=CA:TRUE\n';
      await writeFile(file('cnf'), config);
      const from = new Date(Date.now() - 10 * 86_400_000);
      const stamp = (date: Date) => `${date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
      const key = ['genrsa', '-out', file('key.pem'), '2048'];
      execFileSync('openssl', key, { stdio: 'ignore' });
      execFileSync(
        'openssl',
        [
          'req',
          '-new',
          '-key',
          file('key.pem'),
          '-subj',
          '/CN=broker',
          '-config',
          file('cnf'),
          '-out',
          file('csr.pem'),
        ],
        { stdio: 'ignore' },
      );
      await mkdir(file('ca'));
      await writeFile(file('ca/index'), '');
      await writeFile(file('ca/serial'), '01\n');
      await writeFile(
        file('ca.cnf'),
        `[ca]\ndefault_ca=d\n[d]\ndatabase=${file('ca/index')}\nserial=${file('ca/serial')}\nnew_certs_dir=${file('ca')}\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`,
      );
      const dates = ['-startdate', stamp(from), '-enddate', stamp(new Date(Date.now() + days * 86_400_000))];
      execFileSync(
        'openssl',
        [
          'ca',
          '-batch',
          '-selfsign',
          '-config',
          file('ca.cnf'),
          '-keyfile',
          file('key.pem'),
          '-in',
          file('csr.pem'),
          '-out',
          file('cert.pem'),
          '-notext',
          '-extfile',
          file('cnf'),
          '-extensions',
          'v3',
          ...dates,
        ],
        { stdio: 'ignore' },
      );
      const cert = readFileSync(file('cert.pem'), 'utf8');
      const server = createServer({ key: readFileSync(file('key.pem')), cert }, broker.aedes.handle);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      server.on('tlsClientError', () => {});
      const { port } = server.address() as { port: number };
      const parsed = parseConfig(
        `agent_id: g\ndata_dir: x\nmqtt: {url: 'mqtts://127.0.0.1:${port}'}\nsource: {type: host}\n`,
      );
      const [finding] = await checkBroker(
        { ...parsed, tls: ca === 'with-ca' ? { ca: cert } : {} },
        Date.now(),
      );
      expect(finding).toMatchObject({
        level: 'bad',
        what: expect.stringMatching(what),
        advice: expect.stringMatching(advice),
      });
      await new Promise((resolve) => server.close(resolve));
    }),
  );
});
