/** What the command line takes, what it says of what it does not take, and the exit codes of the built program. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCommandLine, UsageError } from './command-line.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const WRONG: [string, string[], RegExp][] = [
  ['no arguments', [], /^no command given; there is: run --config <file>$/],
  ['an unknown command', ['walk'], /^unknown command "walk"/],
  ['a command that every object has', ['constructor'], /^unknown command "constructor"/],
  ['an option in place of the command', ['--config', 'a.yaml'], /^unknown option "--config"/],
  ['run without a configuration', ['run'], /^run: --config <file> is missing$/],
  ['--config without a value', ['run', '--config'], /^run: --config needs the name of a file$/],
  ['--config with an empty value', ['run', '--config='], /^run: --config needs the name of a file$/],
  ['--config before another option', ['run', '--config', '--x'], /^run: --config needs the name of a file$/],
  ['an unknown option', ['run', '--config', 'a.yaml', '--verbose'], /^run: unknown option "--verbose"$/],
  ['an unknown option with a value', ['run', '--conf=a.yaml'], /^run: unknown option "--conf"$/],
  ['an unknown short option', ['run', '-c', 'a.yaml'], /^run: unknown option "-c"$/],
  ['an unknown negated option', ['run', '--config', 'a', '--no-x'], /^run: unknown option/],
  ['a word too many', ['run', 'a.yaml', '--config', 'b.yaml'], /^run: unexpected argument "a.yaml"$/],
];

describe('parseCommandLine', () => {
  it.each(WRONG)('says what is wrong with %s', async (_name, argv, message) => {
    const error = await parseCommandLine(argv).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toMatch(message);
  });

  it.each([[['run', '--config', 'a.yaml']], [['run', '--config=a.yaml']]])('takes %j', async (argv) => {
    expect(await parseCommandLine(argv)).toEqual({ action: 'run', config: 'a.yaml' });
  });

  it('explains itself and each command in full', async () => {
    for (const argv of [['--help'], ['-h'], ['run', '--help']]) {
      const line = await parseCommandLine(argv);
      const text = line.action === 'help' ? line.text : '';
      expect(text).toMatch(/lineheron-agent/);
      expect(text).not.toMatch(/undefined/);
    }
  });
});

describe('the program', () => {
  const run = (...argv: string[]) => spawnSync(process.execPath, [MAIN, ...argv], { encoding: 'utf8' });

  it.each([[[]], [['walk']], [['run']], [['run', '--config', 'a.yaml', '--verbose']]])(
    'ends with exit code 2 and one sentence after %j',
    (argv) => {
      const { status, stdout, stderr } = run(...argv);
      expect(stderr).toMatch(/^lineheron-agent: [^\n]+ \(--help tells more\)\n$/);
      expect([status, stdout]).toEqual([2, '']);
    },
  );

  it('ends with exit code 2 when there is no such configuration, and with 0 when it told its version', () => {
    expect(run('run', '--config', 'no-such-file.yaml')).toMatchObject({
      status: 2,
      stderr: 'lineheron-agent: no-such-file.yaml: there is no such file\n',
    });
    expect(run('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});
