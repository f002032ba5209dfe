/** The process itself, as the launcher and service managers see it. Runs the compiled program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

  it('exits with 2 and one line that names the setting when a port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { code, errors } = await run('--port', String(port), '--mqtt-port', '0').ended;
    server.close();
    expect(code).toBe(2);
    expect(errors.trim()).toBe(
      `lineheron-collector: port ${port} is taken: set http.port (LINEHERON_HTTP_PORT) to a free one`,
    );
  });

  it('exits with 2 and names the key when the configuration is wrong', async () => {
    const config = join(folder, 'config.yaml');
    await writeFile(config, 'http: { host: 0.0.0.0 }\n');
    const { code, errors } = await run('--config', config).ended;
    expect(code).toBe(2);
    expect(errors).toContain('http.host: must be a loopback address');
    expect(errors).not.toContain('    at ');
  });

  it('exits with 2 and says what to do when its store is damaged', async () => {
    await writeFile(
      join(folder, 'lineheron.db'),
      'no database at all, but long enough to be read as one. '.repeat(100),
    );
    const { code, errors } = await run(...FREE).ended;
    expect(code).toBe(2);
    expect(errors).toContain('Restore it from a backup');
  });
});
