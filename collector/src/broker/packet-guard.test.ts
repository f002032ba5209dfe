import { describe, expect, it } from 'vitest';
import { PacketGuard } from './packet-guard.js';

/** Fixed header of a PUBLISH with this remaining length. */
function header(length: number): number[] {
  const bytes = [0x30];
  let left = length;
  do {
    const byte = left % 128;
    left = Math.floor(left / 128);
    bytes.push(left > 0 ? byte | 0x80 : byte);
  } while (left > 0);
  return bytes;
}

const CONNECT = Uint8Array.from([0x10, 2, 0, 0]);

/** A guard of a connection that has begun. */
function begun(maxBytes: number): PacketGuard {
  const guard = new PacketGuard(maxBytes);
  guard.accept(CONNECT);
  return guard;
}

const packet = (length: number) =>
  Uint8Array.from([...header(length), ...new Array<number>(length).fill(0x82)]);

describe('PacketGuard', () => {
  it('accepts packets up to the limit, however the bytes are cut', () => {
    const stream = Buffer.concat([CONNECT, packet(0), packet(5), packet(300), packet(1)]);
    for (const size of [1, 2, 3, 7, 1000]) {
      const guard = new PacketGuard(1000);
      for (let from = 0; from < stream.length; from += size) {
        expect(guard.accept(stream.subarray(from, from + size))).toBe(true);
      }
    }
  });

  it('refuses a packet over the limit as soon as its header says so', () => {
    const guard = begun(1000);
    expect(guard.accept(packet(10))).toBe(true);
    expect(guard.accept(Uint8Array.from(header(1001)))).toBe(false);
  });

  it('refuses a length of five bytes, which MQTT does not know', () => {
    const guard = begun(2 ** 31);
    expect(guard.accept(Uint8Array.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]))).toBe(false);
  });

  it('does not take the body of a packet for a header', () => {
    const guard = begun(1000);
    expect(
      guard.accept(Uint8Array.from([...header(4), 0x30, 0xff, 0xff, 0xff, ...header(2), 0xff, 0xff])),
    ).toBe(true);
  });

  it('refuses at its first byte what does not begin with CONNECT', () => {
    expect(new PacketGuard(1000).accept(Buffer.from('G'))).toBe(false);
    expect(new PacketGuard(1000).accept(packet(1))).toBe(false);
    expect(new PacketGuard(1000).accept(CONNECT)).toBe(true);
  });
});
