/**
 * Serves files of one folder: never outside it, with types by extension. Files whose name carries a hash of their
 * content may be kept for ever by browsers; all others are asked for again, by their ETag.
 */
import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};
const HASHED = /[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

/**
 * The file as a response, or null when there is none. `path` is relative and already decoded; `known` is the
 * If-None-Match header.
 */
export async function serveFile(folder: string, path: string, known?: string): Promise<Response | null> {
  if (path.includes('\0')) return null;
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, path));
    if (!file.startsWith(root + sep)) return null;
    const content = await readFile(file);
    const hashed = path.startsWith('assets/') && HASHED.test(path);
    // Weak: it stands for the file in every encoding.
    const etag = `W/"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    const headers = {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'cache-control': hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      etag,
    };
    if (isKnown(etag, known)) return new Response(null, { status: 304, headers });
    return new Response(new Uint8Array(content), { headers });
  } catch {
    // Missing, a folder, or unreadable: all the same to who asks.
    return null;
  }
}

function isKnown(etag: string, known: string | undefined): boolean {
  const tags = known?.split(',').map((tag) => tag.trim().replace(/^(?!W\/)/, 'W/')) ?? [];
  return tags.includes(etag) || known?.trim() === '*';
}
