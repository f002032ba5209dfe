/** An MQTT 3.1.1 client that may misbehave: writes the packets that it is told to and answers nothing by itself. */
import { connect, type Socket } from 'node:net';

export interface RawPacket {
  type: number;
  flags: number;
  body: Buffer;
}

export const CONNACK = 2;
export const PUBLISH = 3;
export const SUBACK = 9;

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};
const number = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

function packet(first: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let left = body.length;
  do {
    const byte = left % 128;
    left = Math.floor(left / 128);
    length.push(left > 0 ? byte | 0x80 : byte);
  } while (left > 0);
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

export interface RawConnect {
  clean?: boolean;
  keepalive?: number;
  protocol?: string;
  will?: { topic: string; payload: string | Buffer; retain?: boolean };
}

export function connectPacket(clientId: string, options: RawConnect = {}): Buffer {
  const { clean = true, keepalive = 0, protocol = 'MQTT', will } = options;
  const flags = (clean ? 0x02 : 0) | (will ? 0x04 : 0) | (will?.retain ? 0x20 : 0);
  const payload = Buffer.from(will?.payload ?? '');
  const last = will ? [text(will.topic), number(payload.length), payload] : [];
  return packet(0x10, text(protocol), Buffer.from([4, flags]), number(keepalive), text(clientId), ...last);
}

export function publishPacket(
  topic: string,
  payload: string | Buffer,
  { qos = 0, id = 1, retain = false, dup = false } = {},
): Buffer {
  const first = 0x30 | (dup ? 8 : 0) | (qos << 1) | Number(retain);
  return packet(first, text(topic), ...(qos > 0 ? [number(id)] : []), Buffer.from(payload));
}

export function subscribePacket(filters: readonly string[], { id = 1, qos = 0 } = {}): Buffer {
  const wanted = filters.flatMap((filter) => [text(filter), Buffer.from([qos])]);
  return packet(0x82, number(id), ...wanted);
}

export const DISCONNECT = Buffer.from([0xe0, 0]);
export const PINGREQ = Buffer.from([0xc0, 0]);

export class RawClient {
  readonly packets: RawPacket[] = [];
  closed = false;
  private unread: Buffer = Buffer.alloc(0);

  private constructor(readonly socket: Socket) {
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (chunk: Buffer) => this.take(chunk));
  }

  /** Resolves when the TCP connection is there. */
  static open(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new RawClient(socket);
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(client));
      socket.once('close', () => resolve(client));
    });
  }

  /** Connected, or refused: see `returnCode`. */
  static async connect(port: number, clientId: string, options?: RawConnect): Promise<RawClient> {
    const client = await RawClient.open(port);
    await client.write(connectPacket(clientId, options));
    await client.until(() => client.closed || client.of(CONNACK).length > 0);
    return client;
  }

  /** Null when the broker said nothing. */
  get returnCode(): number | null {
    return this.of(CONNACK)[0]?.body[1] ?? null;
  }

  get sessionPresent(): boolean {
    return this.of(CONNACK)[0]?.body[0] === 1;
  }

  of(type: number): RawPacket[] {
    return this.packets.filter((one) => one.type === type);
  }

  /** Granted QoS of every filter that was answered; 128 is a refusal. */
  get granted(): number[] {
    return this.of(SUBACK).flatMap(({ body }) => [...body.subarray(2)]);
  }

  /** Resolves when the bytes have left, or the connection has. */
  write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed) return resolve();
      this.socket.once('close', resolve);
      this.socket.write(bytes, () => {
        this.socket.off('close', resolve);
        resolve();
      });
    });
  }

  async until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error('the broker did not do in time what was waited for');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  end(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.unread = Buffer.concat([this.unread, chunk]);
    for (;;) {
      const head = lengthOf(this.unread);
      if (head === null || this.unread.length < head.at + head.length) return;
      const first = this.unread[0]!;
      const body = this.unread.subarray(head.at, head.at + head.length);
      this.packets.push({ type: first >> 4, flags: first & 15, body });
      this.unread = this.unread.subarray(head.at + head.length);
    }
  }
}

function lengthOf(bytes: Buffer): { at: number; length: number } | null {
  let length = 0;
  for (let at = 1; at < Math.min(bytes.length, 5); at++) {
    length += (bytes[at]! & 0x7f) * 128 ** (at - 1);
    if ((bytes[at]! & 0x80) === 0) return { at: at + 1, length };
  }
  return null;
}
