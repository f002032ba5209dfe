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

const newGuard = (maxPacketBytes = 1000) => new PacketGuard({ maxPacketBytes, maxControlBytes: 100 });

/** A guard of a connection that has begun. */
function begun(maxBytes: number): PacketGuard {
  const guard = newGuard(maxBytes);
  guard.accept(CONNECT);
  return guard;
}

const packet = (length: number) =>
  Uint8Array.from([...header(length), ...new Array<number>(length).fill(0x82)]);

describe('PacketGuard', () => {
  it('accepts packets up to the limit, however the bytes are cut', () => {
    const stream = Buffer.concat([CONNECT, packet(0), packet(5), packet(300), packet(1)]);
    for (const size of [1, 2, 3, 7, 1000]) {
      const guard = newGuard();
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
    expect(newGuard().accept(Buffer.from('G'))).toBe(false);
    expect(newGuard().accept(packet(1))).toBe(false);
    expect(newGuard().accept(CONNECT)).toBe(true);
  });

  it('allows each kind of packet its own size, and none that only a server sends', () => {
    const type = (first: number, length: number) => [first, ...header(length).slice(1)];
    expect(begun(1000).accept(Uint8Array.from(type(0x82, 98)))).toBe(true);
    expect(begun(1000).accept(Uint8Array.from(type(0x82, 99)))).toBe(false);
    expect(begun(1000).accept(Uint8Array.from(type(0xa2, 500)))).toBe(false);
    expect(newGuard().accept(Uint8Array.from(type(0x10, 99)))).toBe(false);
    expect(begun(1000).accept(Uint8Array.from([...type(0x40, 2), 0, 1, ...type(0xc0, 0)]))).toBe(true);
    expect(begun(1000).accept(Uint8Array.from(type(0x40, 3)))).toBe(false);
    for (const first of [0x00, 0x20, 0x90, 0xb0, 0xd0, 0xf0]) {
      expect(begun(1000).accept(Uint8Array.from(type(first, 2)))).toBe(false);
    }
  });

  it('says how much of an incomplete packet has arrived', () => {
    const guard = begun(1000);
    guard.accept(packet(600).subarray(0, 500));
    expect(guard.partialBytes).toBe(497);
    guard.accept(packet(600).subarray(500));
    expect(guard.partialBytes).toBe(0);
  });
});
