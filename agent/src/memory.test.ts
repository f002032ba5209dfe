/** When memory is given back, and that a real process gets smaller by it and goes on. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Trimming } from './memory.js';

const MB = 1e6;

/** A process of so many bytes that counts how often it was made small. */
function trimmingOf(resident: { bytes: number }) {
  let times = 0;
  const giveBack = () => {
    times += 1;
    resident.bytes = 50 * MB;
  };
  const trimming = new Trimming({ residentBytes: () => resident.bytes, giveBack });
  return { trimming, times: () => times };
}

describe('trimming', () => {
  it('gives back what a start left, once', () => {
    const resident = { bytes: 90 * MB };
    const { trimming, times } = trimmingOf(resident);
    trimming.check();
    // What is in use comes back by itself.
    resident.bytes = 60 * MB;
    for (let check = 0; check < 10; check++) trimming.check();
    expect(times()).toBe(1);
  });

  it('gives back again after a growth', () => {
    const resident = { bytes: 90 * MB };
    const { trimming, times } = trimmingOf(resident);
    trimming.check();
    trimming.check();
    resident.bytes += 3 * MB;
    trimming.check();
    expect(times()).toBe(1);
    resident.bytes += 3 * MB;
    trimming.check();
    expect(times()).toBe(2);
  });

  it.skipIf(process.platform !== 'linux')('makes a process smaller that goes on working', () => {
    const module = fileURLToPath(new URL('../dist/memory.js', import.meta.url));
    const code = `
      const { processMemory } = await import(${JSON.stringify(module)});
      const memory = processMemory();
      let rows = Array.from({ length: 2e5 }, (_, row) => ({ row, text: String(row) }));
      const before = memory.residentBytes();
      rows = rows.slice(-1);
      memory.giveBack();
      console.log(JSON.stringify({ before, after: memory.residentBytes(), last: rows[0].text }));`;
    const text = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    const { before, after, last } = JSON.parse(text) as { before: number; after: number; last: string };
    expect(last).toBe('199999');
    expect(after).toBeLessThan(before - 20 * MB);
  });
});
