/** What is written once must be read by every client that begins at any time: a real client of `ws` does. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { WireClient } from '../http/feed-socket.js';
import { Audience } from './audience.js';
import { Connection } from './connection.js';
import { SharedMessage } from './shared-message.js';

let server: Server;
const sockets: WebSocket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
  server.close();
});

/** Clients as they come; `connect` resolves to both ends of one. */
async function listen() {
  server = createServer();
  const door = new WebSocketServer({ server, perMessageDeflate: { clientNoContextTakeover: true } });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return async (perMessageDeflate: boolean | object = true) => {
    const arrived = new Promise<Connection>((resolve) =>
      door.once('connection', (raw, request) =>
        resolve(new Connection(new WireClient(raw, request), ['list'], [])),
      ),
    );
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate });
    sockets.push(socket);
    const texts: string[] = [];
    socket.on('message', (data) => texts.push(String(data)));
    return { connection: await arrived, texts, socket };
  };
}

const text = (n: number) => JSON.stringify({ type: 'update', n, values: [[n, 20 + n, 0.1]], same: 'words' });

describe('a shared message', () => {
  it('is read by clients that joined at different times, with and without compression', async () => {
    const connect = await listen();
    const audience = new Audience(['list'], false, 0);
    const clients = [await connect(), await connect(false)];
    const sizes: number[] = [];
    for (const { connection } of clients) audience.join(connection);
    for (let n = 0; n < 60; n++) {
      if (n === 20) {
        const late = await connect();
        late.connection.send(new SharedMessage('{"type":"snapshot"}', Buffer.alloc(0)), 0);
        audience.join(late.connection);
        clients.push(late);
      }
      const message = audience.message(text(n), 0);
      for (const { connection } of clients) {
        connection.send(message, 0);
        connection.send(new SharedMessage(`{"type":"lines","n":${n}}`), 0);
      }
      sizes.push(message.frame(true).length);
    }
    const all = Array.from({ length: 60 }, (_, n) => [text(n), `{"type":"lines","n":${n}}`]).flat();
    const late = ['{"type":"snapshot"}', ...all.slice(40)];
    await expect.poll(() => clients.map(({ texts }) => texts.length)).toEqual([120, 120, 81]);
    expect(clients.map(({ texts }) => texts)).toEqual([all, all, late]);
    // It refers to what all have had, and to nothing from before the last one joined.
    expect(sizes[19]).toBeLessThan(text(19).length / 2);
    expect(sizes[20]).toBeGreaterThan(sizes[19]! * 1.5);
    expect(sizes[59]).toBeLessThan(text(59).length / 2);
  });

  it('is read where it is longer than deflate looks back', async () => {
    const connect = await listen();
    const audience = new Audience(['list'], true, 0);
    const { connection, texts } = await connect();
    audience.join(connection);
    const long = (n: number) => JSON.stringify(Array.from({ length: 20_000 }, (_, at) => at * n));
    for (const n of [1, 2, 3, 1]) connection.send(audience.message(long(n), 0), 0);
    await expect.poll(() => texts.length).toBe(4);
    expect(texts).toEqual([1, 2, 3, 1].map(long));
  });

  it('comes as it is to a client that wants less of the window than the others', async () => {
    const connect = await listen();
    const audience = new Audience(['list'], false, 0);
    const { connection, texts, socket } = await connect({ serverMaxWindowBits: 9 });
    audience.join(connection);
    for (let n = 0; n < 3; n++) connection.send(audience.message(text(n), 0), 0);
    await expect.poll(() => texts).toEqual([0, 1, 2].map(text));
    expect(socket.extensions).toContain('permessage-deflate');
  });
});
