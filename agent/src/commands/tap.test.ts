/** tap and top by the built program, on sources themselves and on a running agent; nothing is published or kept. */
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type Started, startProgram, stopProgram } from '../test-agent.js';
import { TestBroker } from '../test-broker.js';
import { until, withFolder } from '../test-support.js';
import { watchKeys } from '../watch/keys.js';
import { harmless } from '../watch/show.js';
import { Screen } from './tap.js';

const started: Started[] = [];
let broker: TestBroker | null = null;

afterEach(async () => {
  for (const one of started.splice(0)) await stopProgram(one, 'SIGKILL');
  await broker?.stop();
  broker = null;
});

function start(...args: string[]): Started {
  const one = startProgram(args);
  started.push(one);
  return one;
}

async function configured(folder: string, source: object, url = 'mqtt://127.0.0.1:1'): Promise<string> {
  const path = join(folder, 'agent.yaml');
  const config = {
    agent_id: 'gw-1',
    data_dir: join(folder, 'data'),
    mqtt: { url },
    publish_records: 'all',
    source,
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

const generate = { type: 'generate', devices: ['m1', 'm2'], interval_seconds: 0.1 };

describe('tap', () => {
  it('shows new lines of a file and their windows, without broker or agent, and keeps nothing', () =>
    withFolder(async (folder) => {
      const file = join(folder, 'a.log');
      await writeFile(file, '{"device_id":"old","latency_ms":1}\n');
      const path = await configured(folder, { type: 'tail', paths: [file] });
      const tap = start('tap', '--config', path, '--count', '2');
      await until('its start', () => tap.text().includes('no trained forest'));
      const line = '{"device_id":"m1","latency_ms":1,"note":"\u202e\u007f"}\n';
      await until('its end', async () => {
        await appendFile(file, line);
        return tap.process.exitCode !== null;
      });
      expect(await tap.ended).toBe(0);
      expect(tap.text()).toContain('"device_id":"m1"');
      expect(tap.text()).toMatch(/\d\d:\d\d:\d\d {2}m1 +warming up\n/);
      expect(tap.text()).toContain('"note":"··"');
      expect(tap.text()).not.toMatch(/old|\u202e/);
      expect(await readdir(folder)).toEqual(['a.log', 'agent.yaml']);
    }));

  it('filters by device and scope, and writes JSON', () =>
    withFolder(async (folder) => {
      const path = await configured(folder, generate);
      const filters = ['--device', 'm2', '--scope', 'device', '--json', '--count', '3'];
      const tap = start('tap', '--config', path, ...filters);
      expect(await tap.ended).toBe(0);
      const shown = tap
        .text()
        .split('\n')
        .filter((text) => text.startsWith('{'));
      expect(shown.map((text) => JSON.parse(text).window.device)).toEqual(['m2', 'm2', 'm2']);
      const none = start('tap', '--config', path, '--min-score', '0.5', '--seconds', '1');
      expect(await none.ended).toBe(0);
      expect(none.text()).not.toMatch(/m2/);
    }));

  it('shows what a running agent publishes, and says when there is no broker', () =>
    withFolder(async (folder) => {
      broker = await TestBroker.start('gw-1');
      const path = await configured(folder, generate, broker.url);
      start('run', '--config', path);
      const tap = start('tap', '--mqtt', '--config', path, '--count', '4');
      expect(await tap.ended).toBe(0);
      expect(tap.text()).toMatch(/"device_id":"m[12]"[\s\S]* m[12] +warming up/);
      const nowhere = start('tap', '--mqtt', '--config', path, '--set', 'mqtt.url=mqtt://127.0.0.1:1');
      expect(await nowhere.ended).toBe(69);
    }));
});

describe('top', () => {
  it('prints the devices as a table', () =>
    withFolder(async (folder) => {
      const path = await configured(folder, generate);
      const top = start('top', '--config', path, '--interval', '0.5', '--seconds', '2', '--rows', '2');
      expect(await top.ended).toBe(0);
      expect(top.text()).toMatch(/device +score +peak +susp\. +time +why\n[\s\S]*m1 [\s\S]*and 1 more/);
    }));
});

describe('the terminal', () => {
  it('takes Space as pause and q as the end, and gives the terminal back', () => {
    const stdin = Object.assign(new PassThrough(), {
      isTTY: true,
      raw: [] as boolean[],
      setRawMode(raw: boolean) {
        this.raw.push(raw);
      },
    });
    const seen: unknown[] = [];
    const keys = watchKeys(
      stdin,
      (paused) => seen.push(paused),
      () => seen.push('end'),
    );
    stdin.emit('data', Buffer.from('x  q'));
    expect(seen).toEqual([true, false, 'end']);
    keys.stop();
    stdin.emit('data', Buffer.from(' '));
    expect(seen).toHaveLength(3);
    expect(stdin.raw).toEqual([true, false]);
  });

  it('holds at most a thousand lines back while paused, and counts the rest', () => {
    const out: string[] = [];
    const screen = new Screen((text) => out.push(text));
    screen.pause(true);
    for (let line = 0; line < 1_500; line++) screen.show(String(line));
    screen.pause(false);
    screen.show('after');
    expect(out.slice(0, 3)).toEqual([
      '-- paused; Space goes on, q ends --\n',
      '-- 500 lines of the pause are left out --\n',
      '500\n',
    ]);
    expect(out.at(-1)).toBe('after\n');
  });

  it('is not commanded by what a line holds', () => {
    expect(harmless('a\u001b[31mb\u0007\u202ec\u2028')).toBe('a·[31mb··c·');
  });
});
