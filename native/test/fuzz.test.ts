/** Every fuzz target for a few seconds, where nightly Rust and cargo-fuzz are at hand; long runs are by hand. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const FOLDER = fileURLToPath(new URL('../fuzz/', import.meta.url));
const SMOKE_SECONDS = 20;
const runs = (...args: string[]) => spawnSync('cargo', ['+nightly', ...args], { cwd: FOLDER }).status === 0;
const missing = !(runs('--version') && runs('fuzz', '--version'));
const reason = missing ? ' (skipped: nightly Rust or cargo-fuzz is missing)' : '';

it.skipIf(missing)(
  `every fuzz target runs clean from its seeds, ${SMOKE_SECONDS} s in all${reason}`,
  () => {
    const targets = readdirSync(`${FOLDER}fuzz_targets`);
    const seconds = Math.max(1, Math.floor(SMOKE_SECONDS / targets.length));
    const { status, stdout } = spawnSync(process.execPath, [`${FOLDER}run.mjs`, String(seconds)], {
      encoding: 'utf8',
    });
    expect(stdout).not.toContain('FAILED');
    expect(stdout.match(/: clean, [1-9]\d* runs/g)).toHaveLength(targets.length);
    expect(status).toBe(0);
  },
  // The first run builds the targets.
  900_000,
);
