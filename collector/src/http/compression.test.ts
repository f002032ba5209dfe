/** What is compressed, how, and what a cache is told of it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compression, preferredEncoding } from './compression.js';
import { serveFile } from './static-files.js';

const LONG = JSON.stringify({ lines: Array.from({ length: 500 }, (_, n) => ({ n, state: 'scored' })) });
const json = { 'content-type': 'application/json' };

let folder: string;
const app = new Hono();
app.use(compression());
app.get('/long', (c) => c.body(LONG, 200, { ...json, etag: '"x"' }));
app.get('/short', (c) => c.body('{"ok":true}', 200, json));
app.get('/picture', (c) => c.body(LONG, 200, { 'content-type': 'image/png' }));
app.get('/done', () => new Response(LONG, { headers: { ...json, 'content-encoding': 'gzip' } }));
app.get('/fails', () => {
  throw new Error('on purpose');
});
app.onError((error, c) => c.body(JSON.stringify({ error: error.message, LONG }), 500, json));
app.get('/file', async (c) => (await serveFile(folder, 'a.js', c.req.header('if-none-match')))!);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-files-'));
  await writeFile(join(folder, 'a.js'), LONG);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const get = (path: string, headers: Record<string, string> = { 'accept-encoding': 'gzip, br' }) =>
  app.request(path, { headers });

describe('the encoding that a client prefers', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['GZIP;Q=1.0, br;q=0.5', 'gzip'],
    ['x-gzip', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *', 'gzip'],
    ['gzip;q=0', null],
    ['identity, gzip;q=0.5', null],
    ['gzip;q=high', null],
    ['deflate', null],
  ])('of %j is %s', (accept, expected) => {
    expect(preferredEncoding(accept)).toBe(expected);
  });
});

describe('an answer', () => {
  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ])('of some length is compressed by %s, and caches are told', async (encoding, decompress) => {
    const response = await get('/long', { 'accept-encoding': encoding });
    expect(response.headers.get('content-encoding')).toBe(encoding);
    expect(response.headers.get('vary')).toBe('accept-encoding');
    expect(response.headers.get('etag')).toBe('W/"x"');
    const body = Buffer.from(await response.arrayBuffer());
    expect(body.byteLength).toBeLessThan(LONG.length / 4);
    expect(decompress(body).toString()).toBe(LONG);
  });

  it('that an error gave is compressed too', async () => {
    const response = await get('/fails');
    expect(response.status).toBe(500);
    expect(response.headers.get('content-encoding')).toBe('br');
  });

  it.each(['/short', '/picture', '/done'])(
    'is left as it is where compressing gains nothing: %s',
    async (path) => {
      const response = await get(path);
      expect([null, 'gzip']).toContain(response.headers.get('content-encoding'));
      expect(await response.text()).toBe(path === '/short' ? '{"ok":true}' : LONG);
    },
  );

  it('to who takes nothing else is the text itself', async () => {
    const response = await get('/long', {});
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(await response.text()).toBe(LONG);
  });
});

describe('a file', () => {
  it('that the browser has is not sent again, in whatever encoding it has it', async () => {
    const first = await get('/file');
    const etag = first.headers.get('etag')!;
    expect(etag).toMatch(/^W\/"/);
    for (const known of [etag, `"other", ${etag}`, '*']) {
      const again = await get('/file', { 'accept-encoding': 'gzip', 'if-none-match': known });
      expect(again.status).toBe(304);
      expect(again.headers.get('etag')).toBe(etag);
      expect(again.headers.get('vary')).toBe('accept-encoding');
      expect(await again.text()).toBe('');
    }
    await writeFile(join(folder, 'a.js'), `${LONG} `);
    expect((await get('/file', { 'if-none-match': etag })).status).toBe(200);
  });
});
