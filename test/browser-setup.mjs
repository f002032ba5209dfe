/**
 * Finds a Chromium for the browser tests; on Debian as root installs the distribution's where there is none. Never
 * downloads a browser of its own.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Path of the browser to use, or null. `LINEHERON_CHROMIUM` beats the search. */
export function findChromium(environment = process.env) {
  if (environment.LINEHERON_CHROMIUM) return environment.LINEHERON_CHROMIUM;
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      if (folder && existsSync(join(folder, name))) return join(folder, name);
    }
  }
  return null;
}

/** Finds or installs it. Returns the path and, where there is none, what to do about it. */
export function provideChromium() {
  const found = findChromium();
  if (found) return { path: found, advice: null };
  const mayInstall = process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
  if (mayInstall) {
    const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    try {
      execFileSync('apt-get', ['update'], options);
      execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], options);
    } catch {
      return { path: null, advice: 'apt-get could not install chromium; install it by hand' };
    }
  }
  return {
    path: findChromium(),
    advice:
      'no browser found: install Chromium (Debian: apt install chromium) or set LINEHERON_CHROMIUM to one',
  };
}
