/** The launcher's children: real processes of a few lines each. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript without types
import { Child } from '../../collector/demo/children.mjs';

/** Dies of its first start once the launcher knows that it is ready; lives from the second start on. */
const DIES_ONCE = `
const { existsSync, writeFileSync } = require('node:fs');
const mark = process.argv[2];
process.on('disconnect', () => process.exit(0));
process.send({ type: 'ready' }, () => {
  if (existsSync(mark)) return;
  writeFileSync(mark, '');
  process.exit(3);
});`;

interface Death {
  code: number;
  again: boolean;
}

let folder: string;
const children: Array<{ stop(): Promise<void> }> = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-children-'));
});

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function build(source: string) {
  const script = join(folder, 'part.cjs');
  await writeFile(script, source);
  const seen = { deaths: [] as Death[], ready: 0 };
  const child = new Child({
    name: 'part',
    script,
    args: [join(folder, 'mark')],
    logPath: join(folder, 'part.log'),
    environment: process.env,
    onDeath: (_name: string, code: number, _words: string, again: boolean) =>
      seen.deaths.push({ code, again }),
    onReady: () => seen.ready++,
  });
  children.push(child);
  return { child, seen };
}

it('a child that dies as soon as it was ready is told of and started again', async () => {
  const { child, seen } = await build(DIES_ONCE);
  await child.start();
  await expect
    .poll(() => seen, { timeout: 10_000 })
    .toEqual({ deaths: [{ code: 3, again: true }], ready: 2 });
});

it('a child that ends before it was ready is not started again: its last words are the reason', async () => {
  const { child, seen } = await build(`console.error('no such port'); process.exitCode = 1;`);
  await expect(child.start()).rejects.toThrow('no such port');
  expect(seen).toEqual({ deaths: [{ code: 1, again: false }], ready: 0 });
});
