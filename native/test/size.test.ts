/** What every gateway downloads. */
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const FOLDER = fileURLToPath(new URL('..', import.meta.url));
const MAX_BYTES = 3_250_000;

it('the built addon is smaller than 3.25 million bytes', () => {
  const sizes = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.node'))
    .map((name) => statSync(`${FOLDER}/${name}`).size);
  expect(sizes.length).toBeGreaterThan(0);
  expect(Math.max(...sizes)).toBeLessThan(MAX_BYTES);
});
