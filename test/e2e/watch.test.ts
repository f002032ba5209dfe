/** What the page says of the watch in bad moments, in a real browser over real agents, and in the colours of both themes. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launchBrowser } from '../support/browser.js';
import type { Part } from '../support/process.js';
import { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const ARTIFACTS = fileURLToPath(new URL('../.artifacts/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
const WIDE = { width: 1440, height: 1000 };
const PHONE = { width: 390, height: 844 };

describe.skipIf(!chromiumPath)(
  'the sentence of the watch in Chromium (skipped where there is no browser)',
  () => {
    let browser: Browser;
    let page: Page;
    let stack: Stack;
    let collector: Part;
    const agents: Part[] = [];

    const agent = (id: string, ...devices: string[]) =>
      stack.agent(id, {
        source: { type: 'generate', devices, backfill_minutes: 10, anomaly_probability: 0 },
      });

    beforeAll(async () => {
      mkdirSync(ARTIFACTS, { recursive: true });
      browser = await launchBrowser();
      stack = await Stack.create();
      collector = await stack.collector();
      agents.push(await agent('gw-1', 'modem-1', 'modem-2'), await agent('gw-2', 'modem-3'));
      // The page's own rules forbid foreign scripts; axe is one.
      page = await browser.newPage({ viewport: WIDE, bypassCSP: true });
      await page.goto(`${stack.url}/`);
    }, 60_000);

    afterAll(async () => {
      await browser?.close();
      await stack?.close();
    });

    const watch = () => page.getByTestId('watch');
    const tone = () => watch().getAttribute('data-tone');
    const says = (text: string | RegExp) => watch().filter({ hasText: text }).waitFor({ timeout: 30_000 });

    /** Pictures in both themes and at a phone's width, and no violation of what axe knows of accessibility. */
    async function look(name: string): Promise<void> {
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme });
        await page.screenshot({ path: join(ARTIFACTS, `watch-${name}-${theme}.png`) });
        await page.evaluate(AXE);
        const violations = await page.evaluate(async () => {
          const axe = (globalThis as unknown as { axe: { run: () => Promise<{ violations: unknown[] }> } })
            .axe;
          const found = (await axe.run()).violations as { id: string; nodes: { html: string }[] }[];
          return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
        });
        expect(violations, `${name}, ${theme}`).toEqual([]);
      }
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize(PHONE);
      await page.screenshot({ path: join(ARTIFACTS, `watch-${name}-phone.png`) });
      await page.setViewportSize(WIDE);
    }

    it('is green only when all is watched, and true when it is not', async () => {
      await says('Detection is stopped.');
      expect(await tone()).toBe('warning');
      await look('stopped');

      await waitFor('a baseline', async () => (await stack.status()).trained.ensemble, 30_000);
      await stack.call('POST', '/start', {});
      await says('Watching all 3 lines.');
      expect(await watch().textContent()).toContain('3 lines are untrained: only the baseline');
      expect(await tone()).toBe('info');
      await look('untrained');

      await stack.trainOnHistory();
      await waitFor('a calm fleet', async () => (await stack.status()).open_alerts === 0, 30_000);
      await page.locator('[data-testid="watch"][data-tone="ok"]').waitFor({ timeout: 30_000 });
      await says('Watching all 3 lines.');
      expect(await page.title()).toBe('lineheron');
      await look('well');

      await agents[1]!.stop();
      await says(/Watching 2 of 3 lines\. 1 offline since/);
      expect(await tone()).toBe('warning');
      await look('offline');

      await collector.stop();
      await says(/The collector is unreachable since \d\d:\d\d: what is shown is from then\./);
      await agents[0]!.stop();
      await look('unreachable');

      await collector.start();
      await says('No agent is online (2 known): no line is watched.');
      expect(await tone()).toBe('critical');
      expect(await page.title()).toBe('no agent online · lineheron');
      await page.getByTestId('agents-online').filter({ hasText: '0 of 2 agents online' }).waitFor();
      await page.getByTestId('detection-state').filter({ hasText: 'No agent detects' }).waitFor();
      await look('blind');
      const [view] = (await stack.status()).agents;
      const ageS = (Date.now() - Date.parse(view!.devices[0]!.last_seen)) / 1000;
      const row = await page.getByTestId('line').first().textContent();
      expect(row).toMatch(/last \d+\s(s|min)/);
      expect(Number(/last (\d+)/.exec(row!)![1]) + 3).toBeGreaterThan(Math.min(ageS, 59) - 3);
    }, 180_000);
  },
);
