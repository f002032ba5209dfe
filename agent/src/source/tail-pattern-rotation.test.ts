/** Patterns and rotation: every line once, also while nothing stands under the file's own name. */
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.js';
import { withFolder } from '../test-support.js';
import { lines, TailReader, text } from './tail-test-support.js';

/** Longer than the patterns are asked apart. */
const ASKED_AGAIN_MS = 2_600;

describe('a tail by patterns', () => {
  it.each([
    ['*.log*', 'modem.log.1', 'modem.log.2'],
    ['*.log', 'modem-20261128.log', 'modem-20261127.log'],
    ['modem*', 'modem.log.1', 'modem.log.2'],
  ])(
    '%s gives each line once through two rotations after which the writer makes its file late',
    (pattern, ...names) =>
      withFolder(async (folder) => {
        const path = (name: string) => join(folder, name);
        const [first, second] = names as [string, string];
        await writeFile(path('modem.log'), text(lines(0, 50)));
        const reader = new TailReader([path(pattern)]);
        await reader.has(lines(0, 50));
        await rename(path('modem.log'), path(first));
        await systemClock.sleep(ASKED_AGAIN_MS);
        await appendFile(path('modem.log'), text(lines(50, 150)));
        await reader.has(lines(0, 150));
        await rename(path(first), path(second));
        await rename(path('modem.log'), path(first));
        await systemClock.sleep(ASKED_AGAIN_MS);
        await appendFile(path('modem.log'), text(lines(150, 200)));
        await reader.has(lines(0, 200));
        await systemClock.sleep(ASKED_AGAIN_MS);
        await reader.stop();
        expect(reader.emitted).toEqual(lines(0, 200));
      }),
    30_000,
  );

  it(
    'begins again while nothing stands under the name, and gives each line once',
    () =>
      withFolder(async (folder) => {
        const path = (name: string) => join(folder, name);
        await writeFile(path('modem.log'), text(lines(0, 50)));
        const before = new TailReader([path('*.log*')]);
        await before.has(lines(0, 50));
        await before.stop();
        await rename(path('modem.log'), path('modem.log.1'));
        await appendFile(path('modem.log.1'), text(lines(50, 60)));
        const after = new TailReader([path('*.log*')], { saved: before.saved });
        await systemClock.sleep(ASKED_AGAIN_MS);
        await writeFile(path('modem.log'), text(lines(60, 80)));
        await after.has(lines(50, 80));
        await after.stop();
        expect(after.emitted).toEqual(lines(50, 80));
      }),
    30_000,
  );
});
