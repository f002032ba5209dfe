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

describe('what is refused before there is a request to serve', () => {
  const HOST = 'Host: a\r\n';
  const get = (head: string) => `GET /status HTTP/1.1\r\n${head}\r\n`;
  const upgrade = (head: string, line = 'GET /ws') =>
    `${line} HTTP/1.1\r\n${head}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`;

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'malformed_request'],
    ['an unknown method', `FOO / HTTP/1.1\r\n${HOST}\r\n`, 400, 'malformed_request'],
    ['an unknown version', `GET / HTTP/9.9\r\n${HOST}\r\n`, 400, 'malformed_request'],
    ['a header without a colon', get(`${HOST}nonsense\r\n`), 400, 'malformed_request'],
    ['a length that is none', get(`${HOST}Content-Length: x\r\n`), 400, 'malformed_request'],
    ['headers that are too large', get(`${HOST}X: ${'x'.repeat(20_000)}\r\n`), 431, 'headers_too_large'],
    ['an address that is too long', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n`, 431, 'headers_too_large'],
    ['no Host', get('Connection: close\r\n'), 400, 'invalid_request'],
    ['an empty Host', get('Host: \r\nConnection: close\r\n'), 400, 'invalid_request'],
    ['a Host with a space', get('Host: a b\r\nConnection: close\r\n'), 400, 'invalid_request'],
    ['a Host with a path', get('Host: a/b\r\nConnection: close\r\n'), 400, 'invalid_request'],
    ['a Host with a user', get('Host: u@a\r\nConnection: close\r\n'), 400, 'invalid_request'],
    ['a Host with no such port', get('Host: a:99999\r\nConnection: close\r\n'), 400, 'invalid_request'],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 400, 'invalid_request'],
    ['an expectation', get(`${HOST}Expect: miracles\r\n`), 417, 'expectation_failed'],
    ['a tunnel', `CONNECT b:443 HTTP/1.1\r\n${HOST}\r\n`, 405, 'method_not_allowed'],
    ['a WebSocket without a Host', upgrade(''), 400, 'invalid_request'],
    ['a WebSocket with a malformed Host', upgrade('Host: a b\r\n'), 400, 'invalid_request'],
  ])('%s is answered with its problem', async (_what, text, status, code) => {
    const [head = '', body = ''] = (await talk(text)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/content-type: application\/problem\+json/i);
    const json = body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1);
    expect(JSON.parse(json)).toMatchObject({ status, code });
  });

  it('does not hold up who asks properly, on the same connection before and on others after it', async () => {
    const answer = await talk(get(HOST), 'nonsense\r\n\r\n');
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(await talk(LAST)).toContain('<GET /last >');
  });

  it('an offer of a WebSocket where there is none is ignored, as HTTP allows', async () => {
    const offer = 'Host: a\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n';
    expect(await talk(get(offer))).toContain('<GET /status >');
  });
});
