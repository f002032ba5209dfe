/**
 * Compresses what is worth it, as the client prefers: Brotli or gzip, in zlib's own threads. No answer holds a secret
 * beside text that somebody else chose, so that its length gives nothing away (BREACH); credentials go in headers.
 */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { MiddlewareHandler } from 'hono';

export const ENCODINGS = ['br', 'gzip'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** A smaller body fits into one packet with its head. */
const MIN_BYTES = 1024;
const COMPRESSIBLE =
  /^(text\/|application\/(json|problem\+json|openmetrics-text|manifest\+json)|image\/svg)/i;
/** Brotli at this quality is about as fast as gzip's default and a tenth smaller. */
const BROTLI_QUALITY = 5;

const compressors: Readonly<Record<Encoding, (body: Uint8Array) => Promise<Buffer>>> = {
  br: (body) =>
    promisify(brotliCompress)(body, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.byteLength,
      },
    }),
  gzip: (body) => promisify(gzip)(body),
};

/** What the client prefers of what we can write, by its Accept-Encoding with q-values; null for the body as it is. */
export function preferredEncoding(accept: string | undefined): Encoding | null {
  const offers = new Map<string, number>();
  for (const part of (accept ?? '').split(',', 50)) {
    const [name, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const q = weight === undefined ? 1 : Number(weight);
    if (name) offers.set(name.replace(/^x-/, ''), q > 0 && q <= 1 ? q : 0);
  }
  const quality = (name: string, unnamed: number) => offers.get(name) ?? offers.get('*') ?? unnamed;
  const [best] = ENCODINGS.map((name) => ({ name, q: quality(name, 0) })).sort((a, b) => b.q - a.q);
  return best && best.q > 0 && best.q >= (offers.get('identity') ?? 0) ? best.name : null;
}

export function compression(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const { res } = c;
    if (!mayCompress(res)) return;
    res.headers.append('vary', 'accept-encoding');
    const encoding = preferredEncoding(c.req.header('accept-encoding'));
    if (encoding === null || c.req.method === 'HEAD' || res.body === null) return;
    const body = new Uint8Array(await res.arrayBuffer());
    const small = body.byteLength < MIN_BYTES;
    const headers = new Headers(res.headers);
    headers.delete('content-length');
    if (!small) {
      headers.set('content-encoding', encoding);
      weaken(headers);
    }
    c.res = undefined;
    c.res = new Response(small ? body : new Uint8Array(await compressors[encoding](body)), {
      status: res.status,
      headers,
    });
  };
}

function mayCompress({ headers }: Response): boolean {
  return (
    !headers.has('content-encoding') &&
    !headers.get('cache-control')?.includes('no-transform') &&
    COMPRESSIBLE.test(headers.get('content-type') ?? '')
  );
}

/** Two encodings of one file are alike, not equal byte by byte. */
function weaken(headers: Headers): void {
  const tag = headers.get('etag');
  if (tag && !tag.startsWith('W/')) headers.set('etag', `W/${tag}`);
}
