/** The quarantine's bound. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withFolder } from '../test-support.js';
import { Quarantine } from './quarantine.js';

it('keeps the newest refused batches within its bound, one JSON line each', () =>
  withFolder(async (folder) => {
    const quarantine = new Quarantine(folder, 10_000);
    for (let number = 1; number <= 50; number++) {
      await quarantine.add('2026-01-01T00:00:00.000Z', 'invalid', Buffer.from(`${number}`.padEnd(400, '.')));
    }
    await quarantine.add('2026-01-01T00:00:00.000Z', 'too_large', Buffer.alloc(50_000, 'x'));
    let bytes = 0;
    for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
    expect(bytes).toBeLessThanOrEqual(10_000);
    const lines = (await readFile(join(folder, 'quarantine.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ code: 'too_large', batch: null, bytes: 50_000 });
    expect(JSON.parse(lines.at(-2)!).batch).toMatch(/^50\.+$/);
  }));
