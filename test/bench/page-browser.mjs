/** The page in Chromium: what it loads, how long it blocks, how soon Find answers, how busy its main thread is. */
import { chromium } from 'playwright-core';
import { findChromium } from '../browser-setup.mjs';
import { pause } from './running.mjs';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const TYPED = 'line-17';
/** Event Timing says nothing of what is painted sooner. */
const LEAST_SEEN_MS = 16;

/** Runs in the page, before anything of it. */
function observe() {
  globalThis.seen = { tasks: [], events: [] };
  const watch = (list, options) =>
    new PerformanceObserver((entries) => {
      list.push(...entries.getEntries().map(({ name, duration }) => ({ name, duration })));
    }).observe(options);
  watch(globalThis.seen.tasks, { type: 'longtask' });
  watch(globalThis.seen.events, { type: 'event', durationThreshold: 16 });
}

export async function measurePage({ url, wire, seconds, picture }) {
  const executablePath = findChromium();
  if (executablePath === null) return null;
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    await page.addInitScript(observe);
    const before = wire.bytes;
    await page.goto(`${url}/app/`);
    await page.getByTestId('line').first().waitFor();
    await pause(2000);
    const load = wire.bytes - before;
    const rendered = await page.getByTestId('line').count();
    const client = await page.context().newCDPSession(page);
    await client.send('Performance.enable');
    const busyS = async () => {
      const { metrics } = await client.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'TaskDuration').value;
    };
    const endTrace = await trace(client);
    await page.evaluate(() => globalThis.seen.tasks.splice(0));
    const busyBefore = await busyS();
    const bytes = await wire.during(() => pause(seconds * 1000));
    const busy = (await busyS()) - busyBefore;
    const tasks = await page.evaluate(() => globalThis.seen.tasks.splice(0).map(({ duration }) => duration));
    const find = await measureFind(page);
    const cpuMs = await endTrace();
    if (picture) await page.screenshot({ path: picture });
    return { load, rate: bytes / seconds, rendered, busy: busy / seconds, tasks, find, cpuMs };
  } finally {
    await browser.close();
  }
}

/**
 * Begins to record the main thread's tasks; the function it gives ends that and resolves to the processor time of the
 * longest, ms. A task's duration by the clock holds what else the machine did meanwhile.
 */
async function trace(client) {
  let longest = 0;
  const mainThreads = new Set();
  const onData = ({ value }) => {
    for (const { name, pid, tid, args } of value) {
      if (name === 'thread_name' && args.name === 'CrRendererMain') mainThreads.add(`${pid} ${tid}`);
    }
    for (const { name, pid, tid, tdur = 0 } of value) {
      if (name === 'RunTask' && mainThreads.has(`${pid} ${tid}`)) longest = Math.max(longest, tdur / 1000);
    }
  };
  client.on('Tracing.dataCollected', onData);
  const categories = 'disabled-by-default-devtools.timeline,__metadata';
  await client.send('Tracing.start', { categories, transferMode: 'ReportEvents' });
  return async () => {
    const complete = new Promise((resolve) => client.once('Tracing.tracingComplete', resolve));
    await client.send('Tracing.end');
    await complete;
    return longest;
  };
}

/** From a key to the paint that shows what it did, the longest of some. */
async function measureFind(page) {
  const find = page.getByLabel('Find a line');
  await find.click();
  await page.evaluate(() => globalThis.seen.events.splice(0));
  for (const letter of TYPED) {
    await page.keyboard.press(letter);
    await pause(300);
  }
  for (let at = 0; at < TYPED.length; at++) {
    await page.keyboard.press('Backspace');
    await pause(300);
  }
  const events = await page.evaluate(() => globalThis.seen.events.splice(0));
  const keys = events.filter(({ name }) => /^key|^input$/.test(name)).map(({ duration }) => duration);
  return Math.max(LEAST_SEEN_MS, ...keys);
}
