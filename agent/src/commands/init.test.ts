/** What init writes, that it tries answers for real, and that it never writes over a file unasked. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig, parseConfig } from '../config-load.js';
import { bad, good } from '../doctor/finding.js';
import { type Answers, configText } from '../init/answers.js';
import { type Asker, Cancelled } from '../init/asker.js';
import { interview } from '../init/interview.js';
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
    [['--source', 'tape'], 64, /--source must be tail or host or generate, not "tape"/],
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
      '/data',
    ]);
    const answers = await interview(asker, GIVEN, {
      broker: async ({ mqttUrl }) => {
        asked.push(mqttUrl);
        return mqttUrl === 'mqtt://broker' ? [good('there')] : [bad('away', 'start it')];
      },
      source: async () => [good('read')],
      disk: async () => [good('free')],
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

  it('ends when the person has had enough', async () => {
    const nothing = async () => [];
    const trials = { broker: nothing, source: nothing, disk: nothing };
    await expect(interview(person(['gw-2']), GIVEN, trials)).rejects.toThrow(Cancelled);
  });
});
