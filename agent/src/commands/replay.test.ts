/** Replay by the built program: the same bytes whatever the way in, and the same alerts as the agent that runs. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { alertSentence, topics } from '@lineheron/models';
import { afterEach, describe, expect, it } from 'vitest';
import type { ReplayResult } from '../replay/result.js';
import { MAIN, type Started, startProgram, stopProgram } from '../test-agent.js';
import { TestBroker } from '../test-broker.js';
import { until, withFolder } from '../test-support.js';

const run = promisify(execFile);
const DEVICES = ['m1', 'm2', 'm3'];
const START_MS = Date.UTC(2026, 0, 1);

/** Lines of three devices, one a second each; m2 loses packets and is slow from `from` to `to`. */
function lines(seconds: number, from: number, to: number): string {
  let state = 7;
  const random = () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  return Array.from({ length: seconds }, (_, second) =>
    DEVICES.map((device) => {
      const bad = device === 'm2' && second >= from && second < to;
      const record = {
        timestamp: new Date(START_MS + second * 1000).toISOString(),
        device_id: device,
        latency_ms: 20 + 5 * random() + (bad ? 200 : 0),
        packet_loss_pct: bad ? 20 : 0,
        retry_count: random() < 0.1 ? 1 : 0,
        traffic_volume_mb: 1 + random(),
        connection_resets: 0,
      };
      return `${JSON.stringify(record)}\n`;
    }).join(''),
  ).join('');
}

const TEXT = lines(900, 600, 640);
/** A gateway's own log, as logread prints it: no host. */
const SYSLOG = Array.from(
  { length: 10 },
  (_, at) => `Fri Nov 20 10:0${at}:00 2026 daemon.notice netifd: Interface 'wan' is now up\n`,
).join('');

async function replayed(folder: string, ...args: string[]): Promise<ReplayResult> {
  const { stdout } = await run(process.execPath, [MAIN, 'replay', '--format', 'json', ...args], {
    cwd: folder,
  });
  return JSON.parse(stdout) as ReplayResult;
}

describe('replay', () => {
  it('finds the fault and nothing before it was trained, and counts what it refused', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.log'), `not a record\n${TEXT}`);
      const { input, variants } = await replayed(folder, 'a.log', '--contamination', '0.01');
      expect(input).toMatchObject({
        lines: 2701,
        records: 2700,
        devices: 3,
        from: '2026-01-01T00:00:00.000Z',
      });
      expect(Object.values(input.refused)).toEqual([1]);
      const [variant] = variants;
      expect(variant!.trained_until! < variant!.alerts[0]!.opened).toBe(true);
      const faulty = variant!.alerts
        .filter(({ device }) => device === 'm2')
        .map(({ opened }) => opened.slice(11, 16));
      expect(faulty).toContain('00:10');
      const found = variant!.alerts.find(({ device, opened }) => device === 'm2' && opened.includes('00:10'));
      expect(found!.detectors).toContain('adaptive_baseline');
      expect(found!.peak_nats).toBeGreaterThan(50);
      expect(variant).toMatchObject({ detector: 'ensemble', budget: 0.2 });
      expect(variant!.models.map(({ scope, origin }) => `${scope} ${origin}`)).toEqual([
        'device trained',
        'gateway trained',
      ]);
    }));

  it('gives the same bytes for a file, the same compressed, through a pipe in pieces, and again', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.log'), TEXT);
      await writeFile(join(folder, 'a.gz'), gzipSync(TEXT));
      const plain = await run(process.execPath, [MAIN, 'replay', 'a.log', '--html', 'a.html'], {
        cwd: folder,
      });
      const again = await run(process.execPath, [MAIN, 'replay', 'a.log', '--html', 'b.html'], {
        cwd: folder,
      });
      expect(again.stdout).toBe(plain.stdout);
      expect(await readFile(join(folder, 'b.html'), 'utf8')).toBe(
        await readFile(join(folder, 'a.html'), 'utf8'),
      );
      const compressed = await run(process.execPath, [MAIN, 'replay', 'a.gz'], { cwd: folder });
      expect(compressed.stdout).toBe(plain.stdout.replaceAll('a.log', 'a.gz'));
      const piped = startProgram(['replay', '-']);
      for (let at = 0; at < TEXT.length; at += 9_973) {
        if (!piped.process.stdin!.write(TEXT.slice(at, at + 9_973)))
          await once(piped.process.stdin!, 'drain');
      }
      piped.process.stdin!.end();
      expect(await piped.ended).toBe(0);
      expect(piped.text()).toContain(plain.stdout.replaceAll('a.log', '-'));
    }));

  it('writes a page that asks nothing of the network and cannot be broken by a device name', () =>
    withFolder(async (folder) => {
      const hostile = TEXT.replaceAll('"m2"', '"<img src=x onerror=alert(1)>"'.replaceAll('/', ''));
      await writeFile(join(folder, 'a.log'), hostile);
      await replayed(
        folder,
        'a.log',
        '--contamination',
        '0.01',
        '--html',
        'page.html',
        '--json',
        'result.json',
      );
      const page = await readFile(join(folder, 'page.html'), 'utf8');
      expect(page).toContain('&lt;img src=x');
      expect(page).not.toMatch(/<script|<img|<link|https?:\/\/|url\(/);
      expect(page.match(/<svg /g)).toHaveLength(4);
      expect(page).toMatch(/<rect class="alert"/);
      const result = JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')) as ReplayResult;
      expect(result.variants[0]!.alerts.length).toBeGreaterThan(0);
    }));

  it('reads lines of another format', () =>
    withFolder(async (folder) => {
      const at = (second: number) =>
        `Jan  1 00:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}`;
      const text = Array.from(
        { length: 600 },
        (_, second) => `${at(second)} gw sshd[7]: Connection closed by 192.0.2.1 port 22\n`,
      );
      await writeFile(join(folder, 'syslog'), text.join(''));
      const { input } = await replayed(
        folder,
        'syslog',
        '--line-format',
        'syslog',
        '--as-of',
        '2026-01-02T00:00:00Z',
      );
      expect(input).toMatchObject({ lines: 600, records: 600, devices: 1 });
      expect(input.from!.slice(0, 4)).toBe('2026');
    }));

  it('compares two detectors, and shows who found what in text and page', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.log'), TEXT);
      const args = ['--detector', 'isolation_forest', '--detector', 'ensemble', '--html', 'page.html'];
      const { stdout } = await run(process.execPath, [MAIN, 'replay', 'a.log', ...args], { cwd: folder });
      const [, forest, ensemble] = stdout.split('\n== ');
      expect(forest).toMatch(/by isolation_forest \(score 0\.\d{3}\) and adaptive_baseline \(\d+\.\d nats\)/);
      expect(ensemble).toMatch(/1 alert .*\n\n= 2026-01-01 00:10:00 .* by adaptive_baseline \(/);
      const page = await readFile(join(folder, 'page.html'), 'utf8');
      expect(page).toContain('<td>adaptive_baseline</td>');
      expect(page).toMatch(/<path class="nats" d="M/);
    }));

  it('tells who fell silent and until when, by the lines’ own times, and counts no silence against the budget', () =>
    withFolder(async (folder) => {
      const all = lines(900, 0, 0).trimEnd().split('\n');
      const without = all.filter((_, at) => {
        const [device, second] = [at % 3, Math.floor(at / 3)];
        return !(device === 2 && second > 300) && !(device === 1 && second > 400 && second < 500);
      });
      await writeFile(join(folder, 'a.log'), `${without.join('\n')}\n`);
      const { variants } = await replayed(folder, 'a.log', '--html', 'page.html');
      const [{ alerts, alerts_per_device_day }] = variants as [ReplayResult['variants'][number]];
      expect(alerts.map(({ kind, device, opened, closed }) => [kind, device, opened, closed])).toEqual([
        ['silence', 'm3', '2026-01-01T00:05:00.000Z', null],
        ['silence', 'm2', '2026-01-01T00:06:40.000Z', '2026-01-01T00:08:20.000Z'],
      ]);
      expect(alerts.map(({ summary }) => summary)).toEqual([
        'm3 has been silent for 60 s: it usually reports every 1 s.',
        'm2 has been silent for 60 s: it usually reports every 1 s.',
      ]);
      expect(alerts_per_device_day).toBe(0);
      expect(await readFile(join(folder, 'page.html'), 'utf8')).toContain('<td>silence</td>');
      const { stdout } = await run(process.execPath, [MAIN, 'replay', 'a.log'], { cwd: folder });
      expect(stdout).toContain('0 alerts and 2 silences (');
      expect(stdout).toMatch(/! 2026-01-01 00:05:00 {2}10 min, still open at the end, silence\n/);
    }));

  it('lets the baseline go on alone where there are too few windows for a forest', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'short.log'), lines(200, 190, 195));
      const { variants } = await replayed(folder, 'short.log', '--train-fraction', '0.1');
      expect(variants[0]!.models).toEqual([]);
      expect(variants[0]!.alerts.map(({ device, detectors }) => [device, detectors])).toEqual([
        ['m2', ['adaptive_baseline']],
      ]);
    }));

  it('reads lines of a shipped format without being told, says so, and gives the same as when told', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'sys.log'), SYSLOG);
      const guessed = await run(process.execPath, [MAIN, 'replay', 'sys.log'], { cwd: folder });
      expect(guessed.stderr).toMatch(
        /syslog understands 10 of 10 lines \(times: 10; no device named; .*\): read as --line-format syslog\n/,
      );
      expect(guessed.stderr).toMatch(/taken as those of "this-gateway"; device_id in the format names it/);
      const told = await run(process.execPath, [MAIN, 'replay', 'sys.log', '--line-format', 'syslog'], {
        cwd: folder,
      });
      expect(told.stdout).toBe(guessed.stdout);
      expect(told.stderr).not.toMatch(/read as/);
    }));

  it('says in words when most lines are left out', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.log'), `${lines(40, 0, 0)}${'{"latency_ms":3}\n'.repeat(200)}`);
      const { stderr } = await run(
        process.execPath,
        [MAIN, 'replay', 'a.log', '--line-format', 'canonical'],
        {
          cwd: folder,
        },
      );
      expect(stderr).toMatch(/only 120 of 320 lines are understood: 200 because the line names no device/);
    }));

  it('compares two thresholds: what both say, and what one says alone', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.log'), TEXT);
      const { variants, comparison } = await replayed(
        folder,
        'a.log',
        '--threshold',
        '0.6',
        '--threshold',
        '0.64',
        '--detector',
        'isolation_forest',
      );
      const [low, high] = variants.map(({ alerts }) => alerts.length) as [number, number];
      expect(low).toBeGreaterThan(high);
      expect(high).toBeGreaterThan(0);
      expect(comparison!.only[0]).toBe(low - comparison!.both);
      expect(comparison!.both).toBeGreaterThan(0);
      expect(comparison!.only[0]).toBeGreaterThan(0);
    }));

  it.each([
    ['a file that is not there', ['none.log'], 66, /none\.log: there is no such file/],
    ['a folder', ['.'], 66, /\.: is a folder/],
    ['a damaged archive', ['broken.gz'], 66, /broken\.gz: /],
    ['free text', ['text.log'], 65, /no format understands these lines: describe the lines by patterns/],
    [
      'lines of another format than was said',
      ['sys.log', '--line-format', 'canonical'],
      65,
      /none of \d first lines is a record: \d because the line is not JSON.*\n {2}→ syslog understands 10 of 10 lines: --line-format syslog\n/,
    ],
    [
      'lines without the device that the format names',
      ['bare.log', '--line-format', 'canonical'],
      65,
      /because the line names no device \(missing_device\)\n {2}→ .*device_id: my-modem/,
    ],
    [
      'lines of which many formats understand a part',
      ['mixed.log'],
      65,
      /say which to take:\n.* --line-format syslog/,
    ],
    ['an empty file', ['empty.log'], 65, /the input is empty/],
    [
      'too few windows',
      ['short.log', '--detector', 'isolation_forest'],
      65,
      /windows to train on, 30 are needed/,
    ],
    ['a model that is not there', ['a.log', '--model', 'nowhere'], 66, /nowhere: there is no such model/],
    ['a folder without models', ['a.log', '--model', '.'], 66, /holds no forest for these features/],
    ['an output over an input', ['a.log', '--html', 'a.log'], 73, /a\.log: is an input/],
    ['an output nowhere', ['a.log', '--json', 'no/where.json'], 73, /no\/where\.json: /],
    ['a format that is none', ['a.log', '--line-format', 'morse'], 64, /--line-format "morse" is no format/],
    ['a format that is no YAML', ['a.log', '--line-format', '{type: csv'], 64, /"\{type: csv" is no format/],
    [
      'a detector that is none',
      ['a.log', '--detector', 'crystal'],
      64,
      /--detector must be one of ensemble, /,
    ],
    ['a budget of nothing', ['a.log', '--budget', '0'], 64, /--budget must be a number/],
    ['a share of nothing', ['a.log', '--contamination', '0'], 64, /--contamination must be a number/],
    ['a threshold that is none', ['a.log', '--threshold', 'high'], 64, /--threshold must be a number/],
    ['an alert, when asked to fail on one', ['a.log', '--fail-on-alert'], 2, /lines a second/],
  ])('ends with an exit code of its own after %s', (_name, args, code, message) =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.log'), TEXT);
      await writeFile(join(folder, 'broken.gz'), gzipSync(TEXT).subarray(0, 5_000));
      await writeFile(join(folder, 'text.log'), 'hello\nworld\n');
      await writeFile(join(folder, 'sys.log'), SYSLOG);
      await writeFile(join(folder, 'bare.log'), '{"latency_ms":3}\n'.repeat(10));
      await writeFile(join(folder, 'mixed.log'), `${'what?\n'.repeat(4)}${SYSLOG}`);
      await writeFile(join(folder, 'empty.log'), '');
      await writeFile(join(folder, 'short.log'), lines(35, 0, 0));
      const failed = await run(process.execPath, [MAIN, 'replay', ...args], { cwd: folder }).catch(
        (error) => error,
      );
      expect(failed.code).toBe(code);
      expect(failed.stderr).toMatch(message);
    }),
  );
});

/** What the window says that spoke for an episode last. */
function tellingSummary({ windows }: TestBroker, episode: string): string {
  const window = windows.findLast((window) => window.episode === episode && window.normal_if)!;
  return alertSentence(window.device, window.reasons, window.normal_if);
}

describe('replay beside the running agent', () => {
  let broker: TestBroker | null = null;
  let agent: Started | null = null;

  afterEach(async () => {
    if (agent) await stopProgram(agent, 'SIGKILL');
    await broker?.stop();
  });

  it.each(['isolation_forest', 'adaptive_baseline', 'ensemble'] as const)(
    'gives the same alerts for the same lines and models when %s is heard',
    (detector) =>
      withFolder(async (folder) => {
        const now = await TestBroker.start('gw-1');
        broker = now;
        const file = join(folder, 'a.log');
        const config = join(folder, 'agent.yaml');
        const [first, second] = [lines(300, 0, 0), TEXT];
        await writeFile(file, first);
        const source = { type: 'tail', paths: [file], from: 'start' };
        // Short windows and a large budget: devices get forest thresholds of their own on the way.
        const plan = { window_size_seconds: 10, budget_per_device_per_day: 400 };
        const rest = { mqtt: { url: now.url }, contamination: 0.02, ...plan, source };
        await writeFile(
          config,
          JSON.stringify({ agent_id: 'gw-1', data_dir: join(folder, 'data'), ...rest }),
        );
        now.say(topics.desired('fleet'), { v: 1, detecting: true, active_model: detector }, true);
        agent = startProgram(['run', '--config', config]);
        await until('the first windows', () => now.windows.length >= 1100);
        now.say(topics.command('gw-1'), {
          v: 1,
          type: 'train',
          request_id: 't',
          duration_seconds: 0,
          use_history: true,
        });
        await until('the training', () => now.texts.some((text) => text.includes('"phase":"done"')));
        await stopProgram(agent);
        // A second agent with the first one's forests meets the lines with no windows and baselines, as a replay does.
        await rm(join(folder, 'data', 'baselines.bin'));
        await writeFile(file, second);
        const later = { ...rest, source: { ...source, name: 'again' } };
        await writeFile(
          config,
          JSON.stringify({ agent_id: 'gw-1', data_dir: join(folder, 'data'), ...later }),
        );
        const before = { windows: now.windows.length, anomalies: now.anomalies.length };
        agent = startProgram(['run', '--config', config]);
        const result = await replayed(
          folder,
          ...['a.log', '--model', join(folder, 'data'), '--detector', detector],
          ...['--window-size-seconds', '10', '--budget', '400'],
        );
        await until(
          'as many windows',
          () => now.windows.length - before.windows >= result.variants[0]!.windows,
        );
        expect(await stopProgram(agent)).toBe(0);
        const told = now.anomalies.slice(before.anomalies);
        const opened = told.filter(({ phase }) => phase === 'opened');
        expect(opened.length).toBeGreaterThan(0);
        expect(
          result.variants[0]!.alerts.map(({ device, opened: at, summary }) => ({ device, at, summary })),
        ).toEqual(
          opened.map(({ device, at, episode }) => ({ device, at, summary: tellingSummary(now, episode) })),
        );
        const { alerts, models } = result.variants[0]!;
        const ofFleet = models.find(({ scope }) => scope === 'device')!.threshold;
        const own = alerts.filter(({ scope, threshold }) => scope === 'device' && threshold !== ofFleet);
        expect(own.length > 0).toBe(detector !== 'isolation_forest');
        const ends = told
          .filter(({ phase }) => phase === 'closed')
          .map(({ device, at }) => `${device} ${at}`);
        const over = alerts.filter(({ closed }) => closed !== null);
        expect(over.map(({ device, closed }) => `${device} ${closed}`).sort()).toEqual(ends.sort());
      }),
    60_000,
  );
});
