/** The listening socket itself, spoken to byte by byte. */
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpServer } from './server.js';

let server: HttpServer;
let port: number;
const failures: Error[] = [];

beforeEach(async () => {
  server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    maxFeedClients: 10,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      return new Response(`<${request.method} ${pathname} ${await request.text()}>`);
    },
    onError: (error) => failures.push(error),
  });
  port = await server.start();
});

afterEach(async () => {
  await server.stop();
  expect(failures.splice(0)).toEqual([]);
});

/** Sends the pieces one by one; resolves to all that was answered once the server has ended the connection. */
function talk(...pieces: string[]): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  return new Promise((resolve, reject) => {
    let answer = '';
    socket.setEncoding('latin1').on('data', (text) => {
      answer += text;
    });
    socket.on('error', reject).on('close', () => resolve(answer));
    const next = () => {
      const piece = pieces.shift();
      if (piece !== undefined) socket.write(piece, 'latin1', () => setImmediate(next));
    };
    next();
  });
}

const OFFER =
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n';
const LAST = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('an offer to upgrade to something else than WebSocket', () => {
  it('is ignored: the request is served, and the connection lives on', async () => {
    const answer = await talk(`GET /status HTTP/1.1\r\nHost: a\r\n${OFFER}\r\n`, LAST);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
    expect(answer.match(/<.*>/g)).toEqual(['<GET /status >', '<GET /last >']);
  });

  it('costs a request neither its body nor its wish to close', async () => {
    const head = 'POST /train HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n';
    const whole = await talk(`${head}${OFFER.replace('Upgrade,', 'close, upgrade,')}\r\n0123456789`);
    expect(whole).toContain('<POST /train 0123456789>');
    const pieces = await talk(`${head}${OFFER}\r\n01234`, '56789', LAST);
    expect(pieces.match(/<.*>/g)).toEqual(['<POST /train 0123456789>', '<GET /last >']);
  });
});
