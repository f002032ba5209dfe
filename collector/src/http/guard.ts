/**
 * What every request must pass before a route sees it: the Host is one that we serve (against DNS rebinding), it comes
 * from no other site than an allowed one, a write or a WebSocket from our own pages or an allowed origin, a body is
 * small and is JSON. Adds the headers that keep browsers careful.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { ProblemError } from './problem.js';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const READS = ['GET', 'HEAD', 'OPTIONS'];
const MAX_BODY_BYTES = 64 * 1024;
const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function careful(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    c.header('content-security-policy', POLICY);
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    if (c.res.headers.get('cache-control') === null) c.header('cache-control', 'no-store');
  };
}

export function checkHost(allowedHosts: readonly string[]): MiddlewareHandler {
  const served = new Set([...LOOPBACK_NAMES, ...allowedHosts.map((host) => host.toLowerCase())]);
  return async (c, next) => {
    const name = hostOf(c).replace(/:\d+$/, '').toLowerCase();
    if (!served.has(name)) throw new ProblemError('forbidden_host', 'Add the name to http.allowed_hosts.');
    await next();
  };
}

/** CORS for the allowed origins only; without any, browsers keep other sites' pages away. */
export function allowOrigins(allowedOrigins: readonly string[]): MiddlewareHandler {
  return cors({
    origin: (origin) => (allowedOrigins.includes(origin) ? origin : null),
    allowMethods: ['GET', 'POST', 'DELETE'],
    allowHeaders: ['content-type', 'accept'],
    exposeHeaders: ['location'],
    maxAge: 600,
  });
}

export function checkOrigin(allowedOrigins: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const isWrite = !READS.includes(c.req.method) || c.req.path === '/ws';
    const origin = c.req.header('origin');
    if (isWrite && origin !== undefined && !isOurs(origin, hostOf(c)) && !allowedOrigins.includes(origin)) {
      throw new ProblemError('forbidden_origin', 'Add the origin to http.allowed_origins.');
    }
    await next();
  };
}

/** What a link on another site may lead to. */
const PAGES = /^\/(app(\/.*)?|docs)?$/;

/**
 * A page of another site may not even read: its `<img>` would make this store search, whatever becomes of the answer.
 * Browsers say of each request where it came from; who is no browser says nothing. A link to one of our pages works.
 */
export function checkSite(allowedOrigins: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const header = (name: string) => c.req.header(name)?.toLowerCase();
    if (header('sec-fetch-site') === 'cross-site' && !allowedOrigins.includes(c.req.header('origin') ?? '')) {
      const isLink =
        header('sec-fetch-mode') === 'navigate' && (header('sec-fetch-dest') ?? 'document') === 'document';
      if (!isLink || !READS.includes(c.req.method) || !PAGES.test(c.req.path)) {
        throw new ProblemError(
          'forbidden_origin',
          'Another site asks. Add its origin to http.allowed_origins.',
        );
      }
    }
    await next();
  };
}

/** Reads the body, bounded. An empty one is no body; anything else must say that it is JSON, and be it. */
export function checkBody(): MiddlewareHandler {
  return async (c, next) => {
    if (!READS.includes(c.req.method)) {
      const text = await readBounded(c);
      if (text.trim() !== '') {
        if (!/^application\/json\s*(;|$)/i.test(c.req.header('content-type') ?? '')) {
          throw new ProblemError('unsupported_media_type');
        }
        checkJson(text);
      }
      // Routes read the body again. Nothing, said to be JSON, is what no body is: an empty object.
      const nothing = c.req.header('content-type') === undefined ? '' : '{}';
      const body = Promise.resolve(text.trim() === '' ? nothing : text);
      c.req.bodyCache = { text: body as unknown as string };
    }
    await next();
  };
}

/** Counts what really arrives: the length header may say anything. */
async function readBounded(c: Context): Promise<string> {
  const tooLarge = () => new ProblemError('too_large', `At most ${MAX_BODY_BYTES} bytes are read.`);
  if (Number(c.req.header('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const reader = c.req.raw.body?.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // A body that does not come whole is its sender's fault, and nothing for the log.
  const next = () =>
    reader?.read().catch(() => {
      throw new ProblemError('invalid_request', 'The body ended before it was whole.');
    });
  for (let part = await next(); part && !part.done; part = await next()) {
    bytes += part.value.byteLength;
    if (bytes > MAX_BODY_BYTES) {
      void reader?.cancel().catch(() => {});
      throw tooLarge();
    }
    chunks.push(part.value);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new ProblemError('invalid_json', error instanceof Error ? error.message : undefined);
  }
}

function hostOf(c: Context): string {
  return c.req.header('host') ?? new URL(c.req.url).host;
}

function isOurs(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}
