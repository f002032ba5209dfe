/** What the command line takes, what it says of what it does not take, and the exit codes of the built program. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './command-line.js';
import { COMMANDS } from './commands/table.js';
import { EXIT_MEANINGS } from './exit-code.js';
import { withFolder } from './test-support.js';
import { UsageError } from './usage-error.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const WRONG: [string, string[], RegExp][] = [
  ['no arguments', [], /^no command given; there are: run, /],
  ['an unknown command', ['walk'], /^unknown command "walk"; there are: run, /],
  ['a command that is misspelt', ['rnu'], /^unknown command "rnu" \(did you mean "run"\?\)$/],
  ['a command that every object has', ['constructor'], /^unknown command "constructor"/],
  [
    'an option in place of the command',
    ['--config', 'a.yaml'],
    /^unknown option "--config"; first comes a command$/,
  ],
  ['--config without a value', ['run', '--config'], /^run: --config <file> needs a value$/],
  ['--config with an empty value', ['run', '--config='], /^run: --config <file> needs a value$/],
  ['--config before another option', ['run', '--config', '--x'], /^run: --config <file> needs a value$/],
  ['--config twice', ['run', '--config', 'a', '--config', 'b'], /^run: --config is given twice$/],
  ['an unknown option', ['run', '--config', 'a.yaml', '--verbose'], /^run: unknown option "--verbose"$/],
  [
    'a misspelt option',
    ['run', '--confg=a.yaml'],
    /^run: unknown option "--confg" \(did you mean "--config"\?\)$/,
  ],
  ['an unknown short option', ['run', '-c', 'a.yaml'], /^run: unknown option "-c"/],
  ['an unknown negated option', ['run', '--config', 'a', '--no-x'], /^run: unknown option/],
  ['a word too many', ['run', 'a.yaml', '--config', 'b.yaml'], /^run: unexpected argument "a.yaml"$/],
  ['a word too few', ['config'], /^config: <check\|schema> is missing$/],
];

describe('parseCommandLine', () => {
  it.each(WRONG)('says what is wrong with %s', async (_name, argv, message) => {
    const error = await parseCommandLine(argv).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toMatch(message);
  });

  it.each([[['run', '--config', 'a.yaml']], [['run', '--config=a.yaml']]])('takes %j', async (argv) => {
    const line = await parseCommandLine(argv);
    expect(line.action === 'perform' && [line.command.name, line.given.text('config')]).toEqual([
      'run',
      'a.yaml',
    ]);
  });

  it('gathers an option that may be given again', async () => {
    const line = await parseCommandLine(['run', '--set', 'seed=1', '--set=seed=2']);
    expect(line.action === 'perform' && line.given.texts('set')).toEqual(['seed=1', 'seed=2']);
  });

  it('explains itself, its exit codes and each command in full', async () => {
    const helps = Object.keys(COMMANDS).map((name) => [name, '--help']);
    for (const argv of [['--help'], ['-h'], ['help', 'run'], ...helps]) {
      const line = await parseCommandLine(argv);
      const text = line.action === 'help' ? line.text : '';
      expect(text).toMatch(/lineheron-agent/);
      expect(text).not.toMatch(/undefined/);
    }
    const root = await parseCommandLine(['--help']);
    for (const [code, meaning] of EXIT_MEANINGS) {
      expect(root.action === 'help' && root.text).toContain(`${code}  ${meaning}`);
    }
  });

  it('describes every command in the table as the command does itself', async () => {
    for (const [name, { description, load }] of Object.entries(COMMANDS)) {
      expect(await load()).toMatchObject({ name, description });
    }
  });
});

describe('the program', () => {
  const run = (...argv: string[]) =>
    spawnSync(process.execPath, [MAIN, ...argv], { encoding: 'utf8', env: { PATH: process.env.PATH } });

  it.each([[[]], [['walk']], [['run', '--config', 'a.yaml', '--verbose']]])(
    'ends with exit code 64 and one sentence after %j',
    (argv) => {
      const { status, stdout, stderr } = run(...argv);
      expect(stderr).toMatch(/^lineheron-agent: [^\n]+ \(--help tells more\)\n$/);
      expect([status, stdout]).toEqual([64, '']);
    },
  );

  it('ends with exit code 78 when there is no such configuration, and with 0 when it told its version', () => {
    expect(run('run', '--config', 'no-such-file.yaml')).toMatchObject({
      status: 78,
      stderr: 'lineheron-agent: no-such-file.yaml: there is no such file\n',
    });
    expect(run('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it.skipIf(!existsSync('/dev/full'))(
    'says that its output could not be written, and ends with exit code 73 (needs /dev/full)',
    () => {
      const full = openSync('/dev/full', 'w');
      const told = spawnSync(process.execPath, [MAIN, '--help'], { stdio: ['ignore', full, 'pipe'] });
      closeSync(full);
      expect(told.status).toBe(73);
      expect(String(told.stderr)).toMatch(/^lineheron-agent: standard output: ENOSPC: .*\n$/);
    },
  );

  it.skipIf(!existsSync('/dev/full'))('goes on when nothing takes its log (needs /dev/full)', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'agent.yaml');
      await writeFile(path, `agent_id: gw-1\ndata_dir: ${folder}/data\nsource: {type: host}\n`);
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [MAIN, 'run', '--config', path, '--set', 'log_level=trace'], {
        stdio: ['ignore', 'ignore', full, 'ipc'],
      });
      closeSync(full);
      const ended = once(child, 'exit');
      const [message] = await Promise.race([once(child, 'message'), ended]);
      expect(message).toMatchObject({ type: expect.any(String) });
      child.disconnect();
      expect(await ended).toEqual([0, null]);
    }),
  );

  it('checks a configuration and says every fault', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'agent.yaml');
      await writeFile(path, 'agent_id: gw-1\ndata_dir: x\nsource: {type: host}\n');
      expect(run('config', 'check', '--config', path)).toMatchObject({
        status: 0,
        stdout: `${path}: right: gw-1 sends to mqtt://127.0.0.1:1883, keeps its data in x, windows of 30 s\n`,
      });
      const faulty = run('config', 'check', '--config', path, '--set', 'sed=1', '--set', 'log_level=loud');
      expect(faulty.status).toBe(78);
      expect(faulty.stderr).toMatch(/sed: unknown key \(did you mean "seed"\?\)\n/);
      expect(faulty.stderr).toMatch(/log_level: must be one of /);
    }));

  it('warns of an environment variable that is no setting, on a check and at the start, without its value', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'agent.yaml');
      await writeFile(path, `agent_id: gw-1\ndata_dir: ${folder}\nsource: {type: stdin}\n`);
      const environment = { LINEHERON_CONFIG: path, LINEHERON_LOG_LEVL: 'hunter2', LINEHERON_SEED: '2' };
      const told = (command: string[]) => {
        const env = { PATH: process.env.PATH, ...environment };
        return spawnSync(process.execPath, [MAIN, ...command], { encoding: 'utf8', env, input: '' });
      };
      const stray = 'LINEHERON_LOG_LEVL: unknown environment variable (did you mean "LINEHERON_LOG_LEVEL"?)';
      expect(told(['config', 'check'])).toMatchObject({ status: 0, stderr: `${stray}\n` });
      const { status, stderr } = told(['run']);
      const warnings = stderr
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { level: number; msg: string })
        .filter(({ level, msg }) => level === 40 && msg.startsWith('LINEHERON'));
      expect(warnings.map(({ msg }) => msg)).toEqual([stray]);
      expect(status).toBe(0);
      expect(stderr).not.toContain('hunter2');
    }));
});
