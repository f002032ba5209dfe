/** Where secrets come from, and that the nearest one counts. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from './config-load.js';
import { withFolder } from './test-support.js';

const BASE = 'agent_id: gw-1\ndata_dir: x\nsource: {type: host}\n';

async function load(folder: string, mqtt: string, environment: NodeJS.ProcessEnv = {}) {
  const path = join(folder, 'agent.yaml');
  await writeFile(path, `${BASE}mqtt: {${mqtt}}\n`);
  return loadConfig(path, { environment });
}

it('reads the password from a file beside the configuration, without its line end', () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, 'secret'), 'hunter 2\n');
    expect((await load(folder, 'password_file: secret')).mqtt.password).toBe('hunter 2');
  }));

it('takes the environment over the file and a systemd credential under both', () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, 'secret'), 'from-file');
    await mkdir(join(folder, 'credentials'));
    await writeFile(join(folder, 'credentials', 'mqtt_password'), 'from-systemd\n');
    const environment = { CREDENTIALS_DIRECTORY: join(folder, 'credentials') };
    expect((await load(folder, '', environment)).mqtt.password).toBe('from-systemd');
    expect((await load(folder, 'password_file: secret', environment)).mqtt.password).toBe('from-file');
    const over = { ...environment, LINEHERON_MQTT_PASSWORD: '0123' };
    expect((await load(folder, 'password_file: secret', over)).mqtt.password).toBe('0123');
    expect((await load(folder, '', { CREDENTIALS_DIRECTORY: folder })).mqtt.password).toBeUndefined();
  }));

it('names the key and the reason when a file is no use, and never what is in it', () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, 'two-lines'), 'hunter\n2\n');
    await writeFile(join(folder, 'no.pem'), 'hunter2');
    await expect(load(folder, 'password_file: none')).rejects.toThrow(
      /^mqtt\.password_file: .*no such file$/,
    );
    await expect(load(folder, 'password_file: two-lines')).rejects.toThrow(/must hold one line$/);
    await expect(load(folder, 'ca_file: no.pem')).rejects.toThrow(/^mqtt\.ca_file: no\.pem: is no PEM file$/);
    if (process.getuid?.() === 0) return;
    await chmod(join(folder, 'no.pem'), 0o000);
    await expect(load(folder, 'ca_file: no.pem')).rejects.toThrow(/may not be read$/);
  }));
