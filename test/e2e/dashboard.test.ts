/** The whole way as a person walks it, in a real browser: live lines, Train, Start, a fault, its alert, Stop. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launchBrowser } from '../support/browser.js';
import { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const ARTIFACTS = fileURLToPath(new URL('../.artifacts/', import.meta.url));
const FAULT_START_S = 25;

describe.skipIf(!chromiumPath)('the dashboard in Chromium (skipped where there is no browser)', () => {
  let browser: Browser;
  let page: Page;
  let stack: Stack;
  const complaints: string[] = [];

  beforeAll(async () => {
    mkdirSync(ARTIFACTS, { recursive: true });
    browser = await launchBrowser();
    stack = await Stack.create();
    await stack.collector();
    await stack.agent('gw-1', {
      source: {
        type: 'generate',
        devices: ['modem-1', 'modem-2', 'modem-3'],
        backfill_minutes: 10,
        faults: [
          {
            device_id: 'modem-2',
            type: 'latency_spike',
            start_s: FAULT_START_S,
            duration_s: 60,
            strength: 1,
          },
        ],
      },
    });
    page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      await page.screenshot({ path: join(ARTIFACTS, 'dashboard-failure.png') });
  });

  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });

  it('shows live lines, trains, starts, tells of a fault with its reason, switches the model and stops', async () => {
    await page.goto(`${stack.url}/`);
    expect(new URL(page.url()).pathname).toBe('/app/');
    await page.getByTestId('connection').filter({ hasText: /live/i }).waitFor();
    await page.getByTestId('line').filter({ hasText: 'modem-2' }).first().waitFor();
    await page.getByTestId('record-row').first().waitFor();

    await page.getByLabel(/duration/i).fill('1');
    await page.getByLabel(/history/i).check();
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await waitFor('the training to end', async () => (await stack.status()).trained.autoencoder, 30_000);

    await page.getByRole('button', { name: /^Start/ }).click();
    await waitFor('detection', async () => (await stack.status()).detecting);

    const alert = page
      .getByTestId('alert')
      .filter({ hasText: 'modem-2' })
      .filter({ hasText: /latency/i })
      .first();
    await alert.waitFor({ timeout: 60_000 });
    await page
      .locator('[data-testid="record-row"][data-anomalous="true"]')
      .filter({ hasText: 'modem-2' })
      .first()
      .waitFor();
    await page.screenshot({ path: join(ARTIFACTS, 'dashboard.png') });

    await page.getByRole('radio', { name: /autoencoder/i }).check({ force: true });
    await waitFor('the model to switch', async () => (await stack.status()).active_model === 'autoencoder');

    await page.getByRole('button', { name: /^Stop/ }).click();
    await waitFor('detection to stop', async () => !(await stack.status()).detecting);
    expect(complaints).toEqual([]);
  }, 150_000);

  it('says that the connection is lost when the collector goes away, and comes back by itself', async () => {
    const collector = stack.parts.find(({ script }) => script.startsWith('collector/'))!;
    await collector.kill();
    await page
      .getByTestId('connection')
      .filter({ hasText: /reconnecting|stale|lost/i })
      .waitFor();
    await collector.start();
    await page.getByTestId('connection').filter({ hasText: /live/i }).waitFor();
  }, 60_000);
});
