/**
 * Damage to the small files that the agent keeps beside its spool: cut at every length, and with a bit of every byte flipped. A
 * start is never blocked by it, and what is damaged counts for nothing.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DesiredState } from './command/desired.js';
import { type Block, decodeBlock, encodeBlock } from './flight-recorder/block.js';
import { Clips } from './flight-recorder/clips.js';
import { Ring } from './flight-recorder/ring.js';
import { History } from './score/history.js';
import { silentLog, withFolder } from './test-support.js';

/** Shortened by every number of bytes, and with a bit of each byte the other way. */
function* damaged(whole: Buffer): Generator<Buffer> {
  for (let length = 0; length < whole.length; length++) yield whole.subarray(0, length);
  for (let at = 0; at < whole.length; at++) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1 << (at % 8);
    yield bytes;
  }
}

const blockOf = (number: number): Block =>
  encodeBlock({
    source: 'tail',
    fromMs: 1000 * number,
    toMs: 1000 * number + 999,
    text: Buffer.from(`line ${number}\n`),
  });

it('takes a kept wish as it was written, or none', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'desired.json');
    const open = async () => {
      const state = new DesiredState({ path, log: silentLog, onChange: () => {} });
      await state.start();
      return state;
    };
    const first = await open();
    const none = first.settled;
    first.set('fleet', { v: 1, detecting: true, active_model: 'autoencoder', budget: 0.5 });
    first.set('own', { v: 1, active_model: 'isolation_forest' });
    await first.flush();
    const wished = (await open()).settled;
    expect(wished).toEqual(first.settled);
    for (const bytes of damaged(await readFile(path))) {
      await writeFile(path, bytes);
      expect([wished, none]).toContainEqual((await open()).settled);
    }
  }));

it('reads of a history only rows as they were written, and goes on writing it', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'history.bin');
    const open = async () => {
      const history = new History({ path, fingerprint: '0123456789abcdef', columns: 2, rows: 10 });
      await history.start();
      return history;
    };
    const rows = [1, 2, 3].map((number) => ({ endMs: 1000 * number, features: [number, -number / 3] }));
    const next = { endMs: 4000, features: [4, null] };
    const first = await open();
    for (const row of rows) first.add(row);
    await first.flush();
    for (const bytes of damaged(await readFile(path))) {
      await writeFile(path, bytes);
      const history = await open();
      history.add(next);
      await history.flush();
      const found = await history.read();
      expect(found.at(-1)).toEqual(next);
      for (const row of found.slice(0, -1)) expect(rows).toContainEqual(row);
    }
  }));

it('reads of the ring only blocks as they were written, and begins a new file', () =>
  withFolder(async (folder) => {
    const texts = [1, 2, 3].map((number) => `line ${number}\n`);
    const first = new Ring(folder, 1_000_000);
    await first.start();
    for (const number of [1, 2, 3]) await first.append(blockOf(number));
    const [name] = await readdir(folder);
    const whole = await readFile(join(folder, name!));
    let at = 0;
    for (const bytes of damaged(whole)) {
      const ringFolder = join(folder, `ring-${at++}`);
      await mkdir(ringFolder);
      await writeFile(join(ringFolder, name!), bytes);
      const ring = new Ring(ringFolder, 1_000_000);
      await ring.start();
      await ring.append(blockOf(4));
      const found = (await ring.read(0, 10_000)).map((block) => decodeBlock(block)?.text.toString());
      expect(found.at(-1)).toBe('line 4\n');
      for (const text of found.slice(0, -1)) expect(texts).toContain(text);
    }
  }));

it('takes a clip as it was written, or as far as it is whole', () =>
  withFolder(async (folder) => {
    const clip = { alerts: ['gw/0123456789abcdef/1/0'], atMs: 1_700_000_000_000, complete: true };
    const first = new Clips(folder, 1_000_000);
    await first.start();
    await first.write(clip, [blockOf(1), blockOf(2)]);
    const [name] = await readdir(folder);
    const path = join(folder, name!);
    for (const bytes of damaged(await readFile(path))) {
      await writeFile(path, bytes);
      const clips = new Clips(folder, 1_000_000);
      await clips.start();
      const [found] = clips.list;
      if (!found) continue;
      expect(found).toEqual(clip);
      for (const block of await clips.read(found))
        expect(['line 1\n', 'line 2\n']).toContain(decodeBlock(block)?.text.toString());
    }
  }));
