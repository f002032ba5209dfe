/**
 * Paths by pattern: `*` and `?` within a name, `[a-z]` and `[!a-z]` for one character, `**` as a whole name for any
 * number of folders. Names that begin with a dot need a dot in the pattern. Folders are listed piece by piece, so a
 * folder of any size costs no memory; `**` follows no symbolic link, so a loop of links ends.
 */
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders below each other that `**` goes down. */
const MAX_DEPTH = 32;
const ENTRIES_AT_ONCE = 1024;

type Token = { star: true } | { star: false; fits: (char: string) => boolean };

/** Whether it names files by a pattern, and not one file. */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/** The folder above the first name with a wildcard. */
export function patternRoot(pattern: string): string {
  const names = pattern.split('/');
  const first = names.findIndex(isPattern);
  return names.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
}

/** Everything at paths that fit, in no order. What cannot be listed is left out. */
export async function* globPaths(pattern: string): AsyncGenerator<string> {
  const names = pattern.split('/').filter((name, index) => name !== '' || index === 0);
  const [root, rest] = names[0] === '' ? ['/', names.slice(1)] : ['.', names];
  yield* walk(root, rest, 0);
}

async function* walk(folder: string, names: readonly string[], depth: number): AsyncGenerator<string> {
  const [name, ...rest] = names;
  if (name === undefined || depth > MAX_DEPTH) return;
  if (name === '**') {
    yield* walk(folder, rest, depth);
    for await (const entry of entries(folder)) {
      if (entry.isFolder && !entry.name.startsWith('.')) {
        yield* walk(join(folder, entry.name), names, depth + 1);
      }
    }
    return;
  }
  if (!isPattern(name)) {
    const path = join(folder, name);
    if (rest.length > 0) yield* walk(path, rest, depth);
    else if (await exists(path)) yield path;
    return;
  }
  const fits = matcher(name);
  for await (const entry of entries(folder)) {
    if (!fits(entry.name)) continue;
    const path = join(folder, entry.name);
    if (rest.length > 0) yield* walk(path, rest, depth);
    else if (!entry.isFolder) yield path;
  }
}

async function* entries(folder: string): AsyncGenerator<{ name: string; isFolder: boolean }> {
  const listing = await opendir(folder, { bufferSize: ENTRIES_AT_ONCE }).catch(() => null);
  if (!listing) return;
  for await (const entry of listing) yield { name: entry.name, isFolder: entry.isDirectory() };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Says whether a name fits. Takes time linear in pattern times name, whatever the pattern. */
export function matcher(pattern: string): (name: string) => boolean {
  const tokens = tokensOf(pattern);
  return (name) => {
    if (name.startsWith('.') && !pattern.startsWith('.')) return false;
    const chars = [...name];
    let [token, at, starToken, starAt] = [0, 0, -1, 0];
    while (at < chars.length) {
      const now = tokens[token];
      if (now && !now.star && now.fits(chars[at]!)) {
        token += 1;
        at += 1;
      } else if (now?.star) {
        starToken = token++;
        starAt = at;
      } else if (starToken >= 0) {
        // The last star takes one character more.
        token = starToken + 1;
        at = ++starAt;
      } else return false;
    }
    while (tokens[token]?.star) token += 1;
    return token === tokens.length;
  };
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  const chars = [...pattern];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    const end = char === '[' ? chars.indexOf(']', at + 2) : -1;
    if (char === '*') tokens.push({ star: true });
    else if (char === '?') tokens.push({ star: false, fits: () => true });
    else if (end > 0) {
      tokens.push({ star: false, fits: setOf(chars.slice(at + 1, end)) });
      at = end;
    } else tokens.push({ star: false, fits: (other) => other === char });
  }
  return tokens;
}

/** What stands between the brackets. */
function setOf(chars: readonly string[]): (char: string) => boolean {
  const negated = chars[0] === '!' || chars[0] === '^';
  const members = negated ? chars.slice(1) : chars;
  const ranges: [string, string][] = [];
  for (let at = 0; at < members.length; at++) {
    const isRange = members[at + 1] === '-' && at + 2 < members.length;
    ranges.push([members[at]!, members[isRange ? at + 2 : at]!]);
    if (isRange) at += 2;
  }
  return (char) => ranges.some(([from, to]) => char >= from && char <= to) !== negated;
}
