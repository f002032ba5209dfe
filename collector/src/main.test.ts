/** The process itself, as the launcher and service managers see it. Runs the compiled program. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
let folder: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-main-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const run = (...flags: string[]) => runWith({}, ...flags);

function runWith(environment: Record<string, string>, ...flags: string[]) {
  const child = spawn(process.execPath, [MAIN, 'run', '--data-dir', folder, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { PATH: process.env.PATH, ...environment },
  });
  children.push(child);
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ready = new Promise<{ httpPort: number }>((resolve) => {
    child.on('message', (message) => resolve(message as { httpPort: number }));
  });
  const ended = new Promise<{ code: number | null; errors: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, errors }));
  });
  return { child, ready, ended };
}

const FREE = ['--port', '0', '--mqtt-port', '0'];

describe('lineheron-collector run', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('says when it is ready and ends in order on %s', async (signal) => {
    const { child, ready, ended } = run(...FREE);
    const { httpPort } = await ready;
    expect((await fetch(`http://127.0.0.1:${httpPort}/readyz`)).status).toBe(200);
    const start = performance.now();
    child.kill(signal);
    expect((await ended).code).toBe(0);
    expect(performance.now() - start).toBeLessThan(3000);
  });

  it('ends when its channel to the launcher closes', async () => {
    const { child, ready } = run(...FREE);
    await ready;
    // A child whose channel was closed from here gives no `close` event.
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.disconnect();
    expect(await ended).toBe(0);
  });

  it('warns of an environment variable that is no setting, without its value', async () => {
    const environment = { LINEHERON_HTTP_PROT: 'hunter2', LINEHERON_LOG_LEVEL: 'warn' };
    const { child, ready, ended } = runWith(environment, ...FREE);
    await ready;
    child.kill('SIGTERM');
    const [first, ...rest] = (await ended).errors.split('\n').filter(Boolean);
    expect(JSON.parse(first!)).toMatchObject({
      level: 40,
      msg: 'LINEHERON_HTTP_PROT: unknown environment variable (did you mean "LINEHERON_HTTP_PORT"?)',
    });
    expect(`${first}${rest}`).not.toContain('hunter2');
  });

  it('exits with 78 and one line that names the setting when a port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { code, errors } = await run('--port', String(port), '--mqtt-port', '0').ended;
    server.close();
    expect(code).toBe(78);
    expect(errors.trim().split('\n').at(-1)).toBe(
      `lineheron-collector: port ${port} is taken: set http.port (LINEHERON_HTTP_PORT) to a free one`,
    );
  });

  it('exits with 78 and names the key when the configuration is wrong', async () => {
    const config = join(folder, 'config.yaml');
    await writeFile(config, 'http: { host: 0.0.0.0 }\n');
    const { code, errors } = await run('--config', config).ended;
    expect(code).toBe(78);
    expect(errors).toContain('http.host: must be a loopback address');
    expect(errors).not.toContain('    at ');
  });

  it('keeps files to 0600 and folders to 0700, whatever the umask, and tightens those that are there', async () => {
    await mkdir(join(folder, 'models'), { mode: 0o755 });
    await writeFile(join(folder, 'models', 'old.json'), '{}', { mode: 0o644 });
    await chmod(folder, 0o755);
    const umask = process.umask(0);
    const { child, ready, ended } = run(...FREE);
    process.umask(umask);
    await ready;
    const names = await readdir(folder, { recursive: true });
    expect(names).toEqual(expect.arrayContaining(['lineheron.db', 'lineheron.db-wal', 'models/old.json']));
    const open = await Promise.all(
      ['', ...names].map(async (name) => ((await stat(join(folder, name))).mode & 0o077) !== 0 && name),
    );
    expect(open.filter((name) => name !== false)).toEqual([]);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  });

  it('sets a damaged store aside, begins a new one, goes on, and says so with path and remedy', async () => {
    const rubble = 'no database at all, but long enough to be read as one. '.repeat(100);
    await writeFile(join(folder, 'lineheron.db'), rubble);
    const { child, ready, ended } = run(...FREE);
    const { httpPort } = await ready;
    const status = await (await fetch(`http://127.0.0.1:${httpPort}/status`)).json();
    const [aside] = (await readdir(folder)).filter((name) =>
      /^lineheron\.db\.damaged-\d{8}T\d{6}Z$/.test(name),
    );
    expect(await readFile(join(folder, aside!), 'utf8')).toBe(rubble);
    const message = expect.stringContaining(join(folder, aside!));
    expect(status).toMatchObject({ problems: [{ code: 'store_set_aside', message }] });
    child.kill('SIGTERM');
    const { code, errors } = await ended;
    expect(code).toBe(0);
    expect(errors).toContain('was damaged (file is not a database). It was set aside');
  });

  it('exits with 65 and leaves the store alone when a newer version wrote it', async () => {
    const database = new Sqlite(join(folder, 'lineheron.db'));
    database.pragma('user_version = 999');
    database.close();
    const { code, errors } = await run(...FREE).ended;
    expect(code).toBe(65);
    expect(errors).toContain('written by a newer version of lineheron');
    expect(await readdir(folder)).toEqual(['lineheron.db']);
  });
});

describe('the command line of the collector', () => {
  const told = (args: string[], options: { cwd?: string; env?: Record<string, string> } = {}) =>
    spawnSync(process.execPath, [MAIN, ...args], {
      encoding: 'utf8',
      cwd: options.cwd ?? folder,
      env: { PATH: process.env.PATH, FORCE_COLOR: '1', ...options.env },
    });

  it.each([
    [[], /no command given; there are: run, config/],
    [['rnu'], /unknown command "rnu" \(did you mean "run"\?\)/],
    [['run', '--host', '0.0.0.0'], /run: unknown option "--host"/],
    [['run', '--prot', '1'], /run: unknown option "--prot" \(did you mean "--port"\?\)/],
    [['run', '--port'], /run: --port <number> needs a value/],
    [['run', '--port', '1', '--port', '2'], /run: --port is given twice/],
    [['run', 'x.yaml'], /run: unexpected argument "x.yaml"/],
    [['config'], /config: <check> is missing/],
    [['config', 'chek'], /config: unknown word "chek"/],
  ])('refuses %j with exit code 64 and one line', (args, message) => {
    const { status, stdout, stderr } = told(args);
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^lineheron-collector: [^\n]+ \(--help tells more\)\n$/);
  });

  it('explains itself and each command in plain text, whatever the terminal', () => {
    for (const args of [['--help'], ['-h'], ['help', 'run'], ['run', '--help'], ['config', '-h']]) {
      const { status, stdout } = told(args);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^lineheron-collector/);
      expect(stdout).not.toContain('undefined');
      expect(stdout).not.toContain('\u001b');
    }
    expect(told(['--help']).stdout).toMatch(/78 {2}wrong configuration/);
    expect(told(['run', '--help']).stdout).toMatch(/\.\/lineheron-collector\.yaml or \/etc\/lineheron/);
    expect(told(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('finds the configuration by option, environment and folder, in this order', async () => {
    const check = (...args: string[]) => told(['config', 'check', ...args]);
    expect(check().stdout).toMatch(/^no file, so all defaults: right: serves http:\/\/127\.0\.0\.1:8001/);
    await writeFile(join(folder, 'lineheron-collector.yaml'), 'http: { port: 1111 }\n');
    await writeFile(join(folder, 'other.yaml'), 'http: { port: 2222 }\n');
    expect(check().stdout).toMatch(/^lineheron-collector\.yaml: right: serves http:\/\/127\.0\.0\.1:1111/);
    const env = { LINEHERON_CONFIG: 'other.yaml' };
    expect(told(['config', 'check'], { env })).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^other\.yaml: .*:2222/),
      stderr: '',
    });
    expect(check('--config', 'other.yaml', '--set', 'http.port=3333').stdout).toMatch(/:3333/);
  });

  it.each([
    ['a missing file', ['--config', 'none.yaml'], /none\.yaml: there is no such file/],
    ['a folder', ['--config', '.'], /\.: is a folder/],
    ['tabs', ['--config', 'tabs.yaml'], /tabs\.yaml: not valid YAML: .*[Tt]ab.* at line 2/],
    ['a list', ['--config', 'list.yaml'], /must be a mapping of keys to values/],
    ['a misspelt key', ['--config', 'key.yaml'], /http\.prot: unknown key \(did you mean "http\.port"\?\)/],
    [
      'a misspelt setting',
      ['--set', 'http.prot=1'],
      /--set http\.prot: unknown key \(did you mean "http\.port"/,
    ],
    ['a setting that is none', ['--set', 'hunter2'], /--set must look like/],
    ['an address beyond loopback', ['--set', 'http.host=0.0.0.0'], /http\.host: must be a loopback address/],
  ])('says what is wrong with %s and ends with exit code 78', async (_name, args, message) => {
    await writeFile(join(folder, 'tabs.yaml'), 'http:\n\tport: 1\npassword: hunter2\n');
    await writeFile(join(folder, 'list.yaml'), '- 1\n');
    await writeFile(join(folder, 'key.yaml'), 'http: { prot: 1 }\n');
    for (const command of [['config', 'check'], ['run']]) {
      const { status, stderr } = told([...command, ...args]);
      expect(status).toBe(78);
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/hunter2| {4}at /);
    }
  });
});
