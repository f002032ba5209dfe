/** Cutting a stream into whole lines: any cut of the stream gives the same lines, and memory stays bounded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineCutter, longestLine, MAX_LINE_BYTES } from './line-cutter.js';

function cut(pieces: readonly Buffer[]): string {
  const cutter = new LineCutter();
  const out = pieces.map((piece) => {
    const lines = cutter.push(Buffer.from(piece));
    expect(lines.length === 0 || lines.at(-1) === 10).toBe(true);
    return Buffer.from(lines);
  });
  return Buffer.concat([...out, cutter.end()]).toString('latin1');
}

describe('longestLine', () => {
  it('is longer where a line may be a document', () => {
    const json = { type: 'json' as const, timezone: 'UTC', fields: { latency_ms: 'r' } };
    expect([undefined, 'syslog' as const, 'ping' as const].map(longestLine)).toEqual([
      65_536, 65_536, 65_536,
    ]);
    expect([json, 'mtr' as const, 'journal' as const].map(longestLine)).toEqual([4194304, 4194304, 4194304]);
  });
});

describe('LineCutter', () => {
  it('gives the same lines however the stream is cut', () => {
    const line = fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\n', ' '));
    const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), cuts, fc.boolean(), (lines, places, open) => {
        const bytes = Buffer.from(lines.join('\n') + (open || lines.length === 0 ? '' : '\n'));
        const at = [
          0,
          ...places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b),
          bytes.length,
        ];
        const pieces = at.slice(1).map((to, index) => bytes.subarray(at[index], to));
        const whole = bytes.toString('latin1');
        const expected = whole === '' || whole.endsWith('\n') ? whole : `${whole}\n`;
        expect(cut(pieces)).toBe(expected);
      }),
    );
  });

  it('cuts a line of 10 MB short, once, and goes on after it', () => {
    const long = Buffer.alloc(10 * 1024 * 1024, 'x');
    const pieces = [Buffer.from('a\nb'), ...blocks(long, 60_000), Buffer.from('x\nc\n')];
    const [first, short, last, end] = cut(pieces).split('\n');
    expect([first, last, end]).toEqual(['a', 'c', '']);
    expect(short!.length).toBe(MAX_LINE_BYTES + 1);
  });
});

function blocks(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}
