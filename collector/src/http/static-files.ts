/**
 * Serves files of one folder: never outside it, with types by extension. Files whose name carries a hash of their
 * content may be kept for ever by browsers; all others are asked for again.
 */
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

/** The file as a response, or null when there is none. `path` is relative and already decoded. */
export async function serveFile(folder: string, path: string): Promise<Response | null> {
  if (path.includes('\0')) return null;
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, path));
    if (!file.startsWith(root + sep)) return null;
    const content = await readFile(file);
    const hashed = path.startsWith('assets/') && HASHED.test(path);
    return new Response(new Uint8Array(content), {
      headers: {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'cache-control': hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      },
    });
  } catch {
    // Missing, a folder, or unreadable: all the same to who asks.
    return null;
  }
}
