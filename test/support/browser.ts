/** Headless Chromium for tests: the system's own, never a download. */
import { type Browser, chromium } from 'playwright-core';

/** Set by the test runner, which finds or installs one; null skips browser tests by name. */
export const chromiumPath = process.env.LINEHERON_CHROMIUM ?? null;

export function launchBrowser(): Promise<Browser> {
  if (!chromiumPath) throw new Error('no browser: set LINEHERON_CHROMIUM');
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
