/** What the agent keeps is for its own user alone. Runs the compiled program. */
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-agent-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('files are 0600 and folders 0700, whatever the umask, and those that are there are tightened', async () => {
  const data = join(folder, 'data');
  await mkdir(join(data, 'models'), { recursive: true });
  await writeFile(join(data, 'models', 'old.json'), '{}', { mode: 0o644 });
  for (const path of [data, join(data, 'models')]) await chmod(path, 0o755);
  const config = join(folder, 'agent.yaml');
  const settings = { agent_id: 'gw-1', data_dir: data, mqtt: { url: 'mqtt://127.0.0.1:1' } };
  await writeFile(config, JSON.stringify({ ...settings, sources: [{ type: 'generate' }] }));
  const umask = process.umask(0);
  const child = spawn(process.execPath, [MAIN, 'run', '--config', config], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { PATH: process.env.PATH },
  });
  process.umask(umask);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    const ready = (message: unknown) => (message as { type?: string }).type === 'ready';
    await new Promise<void>((resolve) => child.on('message', (message) => ready(message) && resolve()));
    await expect.poll(() => readdir(data), { timeout: 10_000 }).toContain('spool');
    const names = await readdir(data, { recursive: true });
    expect(names).toContain('models/old.json');
    const open = await Promise.all(
      ['', ...names].map(async (name) => {
        const found = await stat(join(data, name)).catch(() => null);
        return found !== null && (found.mode & 0o077) !== 0 && name;
      }),
    );
    expect(open.filter((name) => name !== false)).toEqual([]);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
});
