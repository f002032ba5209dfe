/** The machine that an agent runs on: its clock, its disk, and who may read the secrets. Changes nothing that stays. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, readFile, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { lockHolder } from '@lineheron/models/persist';
import type { Config } from '../config.js';
import { messageOf } from '../log.js';
import { bad, type Finding, good, note } from './finding.js';

/** No agent of this kind was there before. */
const FIRST_YEAR = 2025;
const MIB = 1024 * 1024;
const RUNS_MS = 2_000;

/** Whether the clock makes sense and is kept right. */
export async function checkClock(nowMs: number): Promise<Finding[]> {
  const now = new Date(nowMs);
  if (now.getUTCFullYear() < FIRST_YEAR) {
    return [
      bad(
        `the clock says ${now.toISOString()}`,
        'set it, and let a time service (systemd-timesyncd, chrony) keep it',
      ),
    ];
  }
  const asked = await promisify(execFile)('timedatectl', ['show', '--property=NTPSynchronized', '--value'], {
    timeout: RUNS_MS,
  }).catch(() => null);
  const answer = asked?.stdout.trim();
  if (answer === 'yes') return [good(`the clock is kept right by a time service (${now.toISOString()})`)];
  if (answer === 'no') {
    return [
      note(
        `no time service says that the clock is right (${now.toISOString()})`,
        'let systemd-timesyncd or chrony keep it',
      ),
    ];
  }
  return [note(`the clock says ${now.toISOString()}; whether a time service keeps it is not known here`)];
}

async function nearestFolder(path: string): Promise<string> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const there = await stat(folder).catch(() => null);
    if (there || folder === dirname(folder)) return folder;
  }
}

async function writable(folder: string): Promise<Finding> {
  const path = join(folder, `.doctor-${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(path, 'wx', 0o600);
    await file.write('lineheron');
    await file.sync();
    await file.close();
    return good(`${folder} can be written`);
  } catch (error) {
    const who = `user ${process.getuid?.() ?? '?'}`;
    return bad(
      `${folder} cannot be written: ${messageOf(error)}`,
      `make it writable for ${who}, or name another data_dir`,
    );
  } finally {
    await rm(path, { force: true }).catch(() => {});
  }
}

async function space(folder: string, needed: number): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const text = `${Math.floor(free / MIB)} MiB free on its disk, the spool may take ${Math.ceil(needed / MIB)} MiB`;
  return free > needed ? good(text) : bad(text, 'free some space, or lower spool.max_bytes');
}

/** Whether the data folder, or the folder in which it will be made, can be used. */
export async function checkDisk({ data_dir, spool }: Pick<Config, 'data_dir' | 'spool'>): Promise<Finding[]> {
  const folder = await nearestFolder(data_dir);
  const own = folder === resolve(data_dir);
  try {
    const stats = await stat(folder);
    if (!stats.isDirectory()) return [bad(`${folder} is no folder`, 'name another data_dir')];
    const found = [await writable(folder), await space(folder, spool.max_bytes)];
    if (!own) return [note(`data_dir ${data_dir} is not there yet: it will be made`), ...found];
    const open = (stats.mode & 0o077) !== 0;
    return open ? [...found, note(`${folder} is open to others`, `chmod 700 ${folder}`)] : found;
  } catch (error) {
    return [bad(`data_dir ${data_dir}: ${messageOf(error)}`, 'name another data_dir')];
  }
}

/** Whether an agent holds the data folder now. */
export async function checkLock({ data_dir }: Pick<Config, 'data_dir'>): Promise<Finding[]> {
  const pid = await lockHolder(data_dir, 'agent', process.pid);
  if (pid === null) return [];
  return [note(`an agent runs on this data folder now (process ${pid})`)];
}

/** Files with secrets that everybody may read; the configuration is one when a password stands in it. */
export async function checkSecrets(configPath: string, config: Config): Promise<Finding[]> {
  const { password_file, key_file } = config.mqtt;
  const folder = dirname(resolve(configPath));
  const secrets = [password_file, key_file].flatMap((path) =>
    path === undefined ? [] : [resolve(folder, path)],
  );
  const text = await readFile(configPath, 'utf8').catch(() => '');
  if (/(^|[\s{,"'])password["']?\s*:/m.test(text.replaceAll(/#.*$/gm, ''))) secrets.push(configPath);
  const found: Finding[] = [];
  for (const path of secrets) {
    const stats = await stat(path).catch(() => null);
    const shared = stats !== null && (stats.mode & 0o007) !== 0;
    if (shared) found.push(bad(`${path} holds a secret and everybody may read it`, `chmod o-rwx ${path}`));
  }
  return found;
}
