/** The rights of files that are there already. New ones are held by the programs' own tests. */
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makePrivate } from './private-files.js';

let folder: string;
const isOwn = (name: string) => name === 'models' || name.startsWith('store.db');
const rights = async (...names: string[]) => (await stat(join(folder, ...names))).mode & 0o777;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-private-'));
  await mkdir(join(folder, 'models', 'old'), { recursive: true });
  for (const file of ['store.db', 'store.db-wal', 'models/one.json', 'models/old/two.bin']) {
    await writeFile(join(folder, file), '');
    await chmod(join(folder, file), 0o666);
  }
  for (const name of ['models', 'models/old']) await chmod(join(folder, name), 0o777);
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('files and folders that others may read become private, however deep', async () => {
  expect(await makePrivate(folder, isOwn)).toEqual([]);
  for (const file of ['store.db', 'store.db-wal', 'models/one.json', 'models/old/two.bin']) {
    expect(await rights(file)).toBe(0o600);
  }
  for (const name of ['', 'models', 'models/old']) expect(await rights(name)).toBe(0o700);
});

it('what is not ours stays as it is, with a word about the folder, and no link is followed', async () => {
  await writeFile(join(folder, 'notes.txt'), '');
  await chmod(join(folder, 'notes.txt'), 0o644);
  await symlink(join(folder, 'notes.txt'), join(folder, 'models', 'link'));
  expect(await makePrivate(folder, isOwn)).toEqual([
    expect.stringContaining(`${folder} may be read by other users`),
  ]);
  expect(await rights('notes.txt')).toBe(0o644);
  expect(await rights()).toBe(0o755);
  expect(await rights('store.db')).toBe(0o600);
});
