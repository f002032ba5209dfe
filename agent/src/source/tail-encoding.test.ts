/** A tail of UTF-16: the same lines, from exact places in the file, also after a kill at any chunk. */
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until, withFolder } from '../test-support.js';
import { lines, TailReader as Reader, text } from './tail-test-support.js';

const little = (content: string) => Buffer.from(content, 'utf16le');
const big = (content: string) => little(content).swap16();

describe('TailSource in UTF-16', () => {
  for (const [name, encode, mark] of [
    ['little end first', little, '\ufeff'],
    ['big end first', big, '\ufeff'],
    ['little end first without a mark', little, ''],
  ] as const) {
    it(`reads ${name}, half characters and half lines held back`, () =>
      withFolder(async (folder) => {
        const path = join(folder, 'a.log');
        const content = encode(text(lines(1, 4)));
        await writeFile(path, encode(`${mark}${text(lines(0, 1))}`));
        const reader = new Reader([path]);
        await reader.has(lines(0, 1));
        await appendFile(path, content.subarray(0, 33));
        await reader.has(lines(0, 2));
        await appendFile(path, content.subarray(33));
        await reader.has(lines(0, 4));
        await reader.stop();
      }));
  }

  it('goes on after a kill where it stood, nothing lost and nothing doubled', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      await writeFile(path, little(`\ufeff${text(lines(0, 3))}`));
      const first = new Reader([path]);
      await first.has(lines(0, 3));
      await first.stop();
      await appendFile(path, little(text(lines(3, 6))));
      const second = new Reader([path], { saved: first.saved });
      await second.has(lines(3, 6));
      expect(second.emitted).toEqual(lines(3, 6));
      await second.stop();
    }));

  it('begins at the end of a file whose length is odd while a character is being written', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a.log');
      const content = little(`\ufeff${text(lines(0, 3))}${text(lines(3, 4))}`);
      await writeFile(path, content.subarray(0, content.length - 3));
      const reader = new Reader([path], { from: 'end' });
      await until('a position', () => reader.saved);
      await appendFile(path, content.subarray(content.length - 3));
      await reader.has(lines(3, 4));
      await reader.stop();
    }));
});
