/** UTF-16 by its mark or its zeros, and its line ends where they stand. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { lastLineEnd, nextLineEnd, toUtf8, utf8Stream, wideOf } from './text-encoding.js';

const TEXT = 'ping Köln ਊ Ċ 20 ms\r\nnext\r\nrest';
const le = (text: string) => Buffer.from(text, 'utf16le');
const be = (text: string) => Buffer.from(le(text)).swap16();

describe('wideOf', () => {
  it('knows UTF-16 by its mark, and without one by every other byte being zero', () => {
    expect(wideOf(le(`\ufeff${TEXT}`))).toBe('utf-16le');
    expect(wideOf(be(`\ufeff${TEXT}`))).toBe('utf-16be');
    expect(wideOf(le('2026-11-20T12:00:00Z gw'))).toBe('utf-16le');
    expect(wideOf(be('2026-11-20T12:00:00Z gw'))).toBe('utf-16be');
  });

  it('takes nothing else for it, and a setting for granted', () => {
    for (const bytes of [
      Buffer.from(TEXT),
      Buffer.alloc(64),
      Buffer.from([0, 0, 0, 65, 66]),
      Buffer.alloc(0),
    ])
      expect(wideOf(bytes)).toBe(null);
    expect(wideOf(Buffer.from('ab'), 'utf-16be')).toBe('utf-16be');
    expect(wideOf(le('\ufeffab'), 'utf-8')).toBe(null);
  });
});

describe('line ends', () => {
  it('are found in place, also beside characters that hold the byte of a line feed', () => {
    for (const [bytes, wide] of [
      [le(TEXT), 'utf-16le'],
      [be(TEXT), 'utf-16be'],
    ] as const) {
      const first = nextLineEnd(bytes, 0, bytes.length, wide);
      expect(toUtf8(bytes.subarray(0, first), wide).toString()).toBe('ping Köln ਊ Ċ 20 ms\r\n');
      const last = lastLineEnd(bytes, bytes.length, wide);
      expect(toUtf8(bytes.subarray(first, last), wide).toString()).toBe('next\r\n');
      // Cut in the midst of the line feed.
      expect(lastLineEnd(bytes, last - 1, wide)).toBe(first);
      expect(lastLineEnd(bytes, 10, wide)).toBe(0);
    }
  });
});

describe('utf8Stream', () => {
  it('gives the same text however the bytes are cut', async () => {
    for (const bytes of [le(`\ufeff${TEXT}`), be(`\ufeff${TEXT}`), le(`plain ${TEXT}`), Buffer.from(TEXT)]) {
      for (const size of [1, 2, 3, 7, 1000]) {
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        const text = (await buffer(Readable.from(pieces).pipe(utf8Stream()))).toString();
        expect(text.replace('plain ', '')).toBe(TEXT);
      }
    }
  });
});
