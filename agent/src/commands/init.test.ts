/** What init writes, that it tries answers for real, and that it never writes over a file unasked. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig, parseConfig } from '../config-load.js';
import { bad, good } from '../doctor/finding.js';
import { type Answers, configText } from '../init/answers.js';
import { type Asker, Cancelled } from '../init/asker.js';
import { interview } from '../init/interview.js';
import { propose } from '../proposal/propose.js';
import { startProgram } from '../test-agent.js';
import { TestBroker } from '../test-broker.js';
import { withFolder } from '../test-support.js';

const GIVEN: Answers = {
  agentId: 'gw-1',
  dataDir: '/var/lib/x',
  mqttUrl: 'mqtt://127.0.0.1:1883',
  username: null,
  password: null,
  passwordFile: null,
  caFile: null,
  source: 'host',
  paths: [],
  from: 'start',
  format: null,
  listen: '127.0.0.1:5514',
  targets: [],
};

async function init(...args: string[]) {
  const started = startProgram(['init', ...args]);
  started.process.stdin?.end();
  return { code: await started.ended, text: started.text() };
}

/** A person who gives these answers in turn; what a check refuses is said and the next answer taken. */
function person(answers: unknown[]): Asker & { said: string[] } {
  const said: string[] = [];
  const next = <T>() => {
    if (answers.length === 0) throw new Cancelled();
    return answers.shift() as T;
  };
  return {
    said,
    text: async (_question, _initial, check) => {
      for (;;) {
        const answer = next<string>();
        const fault = check(answer);
        if (fault === undefined) return answer;
        said.push(fault);
      }
    },
    secret: async () => next(),
    choose: async () => next(),
    confirm: async () => next(),
    busy: (_what, work) => work,
    say: (text) => said.push(text),
  };
}

describe('init without questions', () => {
  it('writes a configuration for its owner alone that the agent takes, having tried all of it', async () => {
    const broker = await TestBroker.start('gw-7', (name, password) => name === 'joe' && password === 'right');
    await withFolder(async (folder) => {
      const file = (name: string) => join(folder, name);
      await writeFile(file('line.log'), '{"device_id":"m1","latency_ms":3}\n');
      await writeFile(file('secret'), 'right\n', { mode: 0o600 });
      const args = [
        '--yes',
        '--output',
        file('agent.yaml'),
        '--agent-id',
        'gw-7',
        '--data-dir',
        file('data'),
      ];
      const login = ['--mqtt-url', broker.url, '--username', 'joe', '--password-file', 'secret'];
      const { code, text } = await init(...args, ...login, '--path', file('line.log'));
      expect(text).toMatch(/took us as joe[\s\S]*1 of 1 lines[\s\S]*agent\.yaml is written/);
      expect(code).toBe(0);
      expect((await stat(file('agent.yaml'))).mode & 0o777).toBe(0o600);
      expect(await loadConfig(file('agent.yaml'))).toMatchObject({
        agent_id: 'gw-7',
        mqtt: { url: broker.url, username: 'joe', password: 'right' },
        sources: [{ type: 'tail', paths: [file('line.log')] }],
      });
    });
    await broker.stop();
  });

  it.each([
    [
      'a gateway\u2019s own log',
      "Fri Nov 20 10:00:00 2026 daemon.notice netifd: Interface 'wan' is now up\n".repeat(6),
      ['--agent-id', 'gw-7'],
      { type: 'syslog', device_id: 'gw-7' },
      /syslog understands 6 of 6 lines .*no device named[\s\S]*such as: 2026-11-20T10:00:00[\s\S]*✓ source tail: 6 of 6 lines/,
    ],
    [
      'a page of a modem, whose name is given',
      '2026-11-20 06:00:00\t1\t3\t82000200\tNo Ranging Response received - T3 time-out\n'.repeat(6),
      ['--device-id', 'modem'],
      { type: 'docsis', device_id: 'modem' },
      /docsis understands 6 of 6 lines .*errors: T3-timeout/,
    ],
    [
      'our own lines',
      '{"device_id":"m1","latency_ms":3}\n'.repeat(6),
      [],
      undefined,
      /canonical understands 6 of 6/,
    ],
    [
      'free text',
      'hello\nworld\n',
      [],
      undefined,
      /no format understands these lines\n {4}→ describe the lines/,
    ],
    ['an empty file', '', [], undefined, /is empty: the agent waits for its first line/],
    [
      'lines whose format is said',
      'rtt 3\n'.repeat(6),
      ['--format', '{type: text, device_id: m, patterns: ["rtt (?P<latency_ms>[0-9]+)"]}'],
      expect.objectContaining({ type: 'text', device_id: 'm' }),
      /✓ source tail: 6 of 6 lines/,
    ],
  ])('finds out how lines are written: %s', (_name, lines, options, format, said) =>
    withFolder(async (folder) => {
      const file = (name: string) => join(folder, name);
      await writeFile(file('a.log'), lines);
      const args = ['--yes', '--output', file('agent.yaml'), '--data-dir', folder, '--path', file('a.log')];
      const { text } = await init(...args, '--mqtt-url', 'mqtt://127.0.0.1:1', ...options);
      expect(text).toMatch(said);
      const source = (await loadConfig(file('agent.yaml'))).sources[0] as { format?: object; from?: string };
      const { timezone: _, ...rest } = { timezone: '', ...source.format };
      expect(source.format === undefined ? undefined : rest).toEqual(format);
      expect(source.from).toBe('start');
    }),
  );

  it('writes listeners, probes and what is piped in, and says which command comes next', () =>
    withFolder(async (folder) => {
      const output = join(folder, 'agent.yaml');
      const written = async (...args: string[]) => {
        const rest = ['--yes', '--force', '--skip-checks', '--output', output, '--data-dir', folder];
        const { text } = await init(...rest, ...args);
        return { text, source: (await loadConfig(output)).sources[0] };
      };
      expect((await written('--listen', '0.0.0.0:5514')).source).toMatchObject({
        type: 'syslog',
        host: '0.0.0.0',
        udp_port: 5514,
        tcp_port: 5514,
      });
      const targets = ['modem=icmp:192.0.2.1', 'https://example.org/', 'dns=dns:192.0.2.53', '192.0.2.1:443'];
      expect((await written(...targets.flatMap((one) => ['--target', one]))).source).toMatchObject({
        type: 'probe',
        targets: [
          { name: 'modem', type: 'icmp', address: '192.0.2.1' },
          { name: 'example.org', type: 'http', url: 'https://example.org/' },
          { name: 'dns', type: 'dns', server: '192.0.2.53', query: 'example.org' },
          { name: '192.0.2.1', type: 'tcp', address: '192.0.2.1:443' },
        ],
      });
      const { text, source } = await written('--source', 'stdin');
      expect(source).toMatchObject({ type: 'stdin' });
      expect(text).toContain(`journalctl -f | lineheron-agent run --config ${output}\n`);
      expect(text).toContain(`lineheron-agent doctor --config ${output}\n`);
    }));

  it('writes over nothing unless forced, and says by its exit code what is still to be mended', () =>
    withFolder(async (folder) => {
      const output = join(folder, 'agent.yaml');
      await writeFile(output, 'mine');
      const rest = ['--yes', '--output', output, '--mqtt-url', 'mqtt://127.0.0.1:1', '--data-dir', folder];
      expect(await init(...rest)).toMatchObject({
        code: 73,
        text: expect.stringMatching(/is there already/),
      });
      expect(await readFile(output, 'utf8')).toBe('mine');
      expect(await init(...rest, '--force')).toMatchObject({
        code: 2,
        text: expect.stringMatching(/ECONNREFUSED/),
      });
      expect(parseConfig(await readFile(output, 'utf8')).mqtt.url).toBe('mqtt://127.0.0.1:1');
      expect(await init(...rest, '--force', '--skip-checks')).toMatchObject({ code: 0 });
      expect(await readdir(folder)).toEqual(['agent.yaml']);
    }));

  it.each([
    [['--agent-id', 'GW 7'], 78, /agent_id: must be/],
    [['--mqtt-url', 'http://x'], 78, /mqtt\.url: must look like/],
    [['--source', 'tail'], 64, /--source tail needs --path/],
    [
      ['--source', 'tape'],
      64,
      /--source must be tail or syslog or probe or host or stdin or generate, not "tape"/,
    ],
  ])('refuses %j', async (args, code, message) => {
    const answer = await init('--yes', '--output', '/nonexistent/x.yaml', ...args);
    expect(answer).toMatchObject({ code, text: expect.stringMatching(message) });
  });
});

describe('the interview', () => {
  it('refuses what cannot be right, tries the rest, and asks again where the person wants to', async () => {
    const asked: string[] = [];
    const asker = person([
      'GW',
      'gw-2',
      'mqtt://nowhere',
      'joe',
      'secret',
      true,
      'mqtt://broker',
      '',
      'tail',
      '',
      '/a.log /b.log',
      true,
      '/data',
    ]);
    const answers = await interview(asker, GIVEN, {
      broker: async ({ mqttUrl }) => {
        asked.push(mqttUrl);
        return mqttUrl === 'mqtt://broker' ? [good('there')] : [bad('away', 'start it')];
      },
      source: async () => [good('read')],
      disk: async () => [good('free')],
      formats: async () => null,
    });
    expect(asked).toEqual(['mqtt://nowhere', 'mqtt://broker']);
    expect(asker.said.join('\n')).toMatch(
      /agent_id: must be[\s\S]*✗ away\n {4}→ start it[\s\S]*paths[\s\S]*✓ free/,
    );
    expect(answers).toMatchObject({
      agentId: 'gw-2',
      username: null,
      source: 'tail',
      paths: ['/a.log', '/b.log'],
    });
    expect(configText(answers)).not.toMatch(/secret/);
  });

  it('shows what each format understands, and asks which to take and whose the lines are', async () => {
    const lines = "Fri Nov 20 10:00:00 2026 daemon.notice netifd: Interface 'wan' is now up\n".repeat(6);
    const found = propose(Buffer.from(lines), { nowMs: Date.UTC(2026, 10, 30), zone: 'UTC' });
    const asker = person([
      'gw-2',
      'mqtt://broker',
      '',
      'tail',
      '/a.log',
      '0',
      'a/b',
      'router',
      false,
      '/data',
    ]);
    const fine = async () => [good('fine')];
    const answers = await interview(asker, GIVEN, {
      ...{ broker: fine, source: fine, disk: fine },
      formats: async () => found,
    });
    expect(asker.said.join('\n')).toMatch(
      /syslog understands 6 of 6 lines[\s\S]*cisco understands[\s\S]*device_id/,
    );
    expect(answers).toMatchObject({ format: { type: 'syslog', device_id: 'router' }, from: 'end' });
  });

  it('ends when the person has had enough', async () => {
    const nothing = async () => [];
    const trials = { broker: nothing, source: nothing, disk: nothing, formats: async () => null };
    await expect(interview(person(['gw-2']), GIVEN, trials)).rejects.toThrow(Cancelled);
  });
});
