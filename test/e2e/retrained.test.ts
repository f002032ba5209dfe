/**
 * The page at rest, in a real browser: how much a first visit loads, that axe finds nothing, and how a retrained
 * model is put to work. The candidate is a trained model of the same collector under a later date.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { ModelView } from '@lineheron/models';
import { ModelStore } from '@lineheron/models/persist';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launchBrowser } from '../support/browser.js';
import { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const DIST = fileURLToPath(new URL('../../dashboard/dist/', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const MAX_FIRST_LOAD_BYTES = 60_000;

/** A file of the page and, in turn, those that it loads with it; not those that a script asks for later. */
function firstLoad(file: string, known: readonly string[] = []): readonly string[] {
  if (known.includes(file)) return known;
  const text = readFileSync(join(DIST, file), 'utf8');
  const addresses = file.endsWith('.html')
    ? [...text.matchAll(/(?:src|href)="([^"]+)"/g)]
    : [...text.matchAll(/(?:^|[;}])(?:import|export)(?:[^"'();]*from)?\s*["']([^"']+)["']/g)];
  return addresses
    .map(([, address]) => posix.join(posix.dirname(file), address!))
    .reduce((files, next) => firstLoad(next, files), [...known, file] as readonly string[]);
}

it('loads at most 60 kB gzipped on a first visit: the page and what it and its scripts name', () => {
  const files = firstLoad('index.html');
  const sizes = files.map((file) => gzipSync(readFileSync(join(DIST, file))).length);
  expect(files.length).toBeGreaterThan(2);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(MAX_FIRST_LOAD_BYTES);
});

describe.skipIf(!chromiumPath)('a retrained model in Chromium (skipped where there is no browser)', () => {
  let browser: Browser;
  let page: Page;
  let stack: Stack;

  /** Keeps every trained autoencoder as a candidate of a later date, which a collector takes up when it starts. */
  async function propose(): Promise<void> {
    const collector = stack.parts.find(({ script }) => script.startsWith('collector/'))!;
    await collector.stop();
    const folder = join(stack.folder, 'collector', 'models');
    const candidates = new ModelStore(join(folder, 'candidates'));
    for (const { manifest, payload } of await new ModelStore(folder).loadAll()) {
      const { v: _, release: __, sha256: ___, size_bytes: ____, ...known } = manifest;
      const trained_at = new Date(Date.parse(manifest.trained_at) + 1000).toISOString();
      await candidates.save({ ...known, trained_at, threshold: known.threshold * 2 }, payload);
    }
    await collector.start();
  }

  const autoencoder = async () => {
    const { body } = await stack.call<{ models: ModelView[] }>('GET', '/models');
    return body.models.find(({ name }) => name === 'autoencoder')!;
  };

  const findings = async () => {
    await page.addScriptTag({ path: AXE });
    const found = await page.evaluate(() =>
      (globalThis as unknown as { axe: { run: () => Promise<{ violations: unknown[] }> } }).axe.run(),
    );
    return found.violations;
  };

  beforeAll(async () => {
    browser = await launchBrowser();
    stack = await Stack.create();
    await stack.collector();
    await stack.agent('gw-1', {
      source: { type: 'generate', devices: ['modem-1', 'modem-2'], backfill_minutes: 10 },
    });
    await stack.agentsOnline(1);
    await waitFor('windows to learn from', async () => (await stack.storedWindows('gw-1')).length > 600);
    await stack.trainOnHistory();
    await propose();
    // The page's own rules forbid foreign scripts; axe is one.
    page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, bypassCSP: true });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });

  it('waits beside the one in use, goes to work after a confirmation alone, and says how that went', async () => {
    const before = await autoencoder();
    expect(before.candidates).toHaveLength(2);
    await page.goto(`${stack.url}/app/`);
    const candidate = page.getByTestId('candidate').filter({ hasText: 'device windows' });
    const ask = candidate.getByRole('button', { name: 'Put to work …' });
    await candidate.filter({ hasText: 'Threshold' }).waitFor();
    await page.getByTestId('drift-row').filter({ hasText: 'gw-1' }).first().waitFor();

    await ask.click();
    const confirm = candidate.getByRole('button', { name: 'Replace it' });
    expect(await confirm.evaluate((button) => button.matches(':focus'))).toBe(true);
    expect(await findings()).toEqual([]);
    await page.keyboard.press('Escape');
    await confirm.waitFor({ state: 'detached' });
    expect(await ask.evaluate((button) => button.matches(':focus'))).toBe(true);
    expect((await autoencoder()).candidates).toHaveLength(2);

    // The collector cannot be reached: the page says so, and the present model stays.
    let fail: () => void = () => {};
    const failing = new Promise<void>((resolve) => {
      fail = resolve;
    });
    await page.route('**/model', async (route) => {
      await failing;
      await route.abort();
    });
    await ask.click();
    await confirm.click();
    const busy = candidate.getByRole('button', { name: 'Putting it to work …' });
    expect(await busy.getAttribute('aria-disabled')).toBe('true');
    fail();
    await candidate.getByRole('alert').filter({ hasText: 'The collector cannot be reached' }).waitFor();
    expect(await findings()).toEqual([]);
    await page.unroute('**/model');

    await ask.click();
    await confirm.click();
    await candidate.waitFor({ state: 'detached' });
    await page.getByText('Autoencoder, device windows: the retrained model is in use.').waitFor();
    const after = await autoencoder();
    const release = (view: ModelView) => view.instances.find(({ scope }) => scope === 'device')?.release;
    expect(release(after)).toBe(release(before)! + 1);
    expect(after.candidates).toMatchObject([{ scope: 'gateway' }]);
    expect((await stack.status()).active_model).toBe('ensemble');
  }, 60_000);
});
