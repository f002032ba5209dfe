/** A panic in native code is a JavaScript Error, in any thread, and the process goes on. */
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { Engine, provokePanic, provokePanicAsync } from '../index.js';

const INDEX = new URL('../index.js', import.meta.url).href;

it('a panic in an export is thrown as an Error and the library goes on working', () => {
  expect(() => provokePanic()).toThrow('provoked on purpose');
  expect(new Engine().features).toHaveLength(19);
});

it('a panic in background work rejects the promise', async () => {
  await expect(provokePanicAsync()).rejects.toThrow('provoked on purpose');
  expect(new Engine().features).toHaveLength(19);
});

it('a worker thread survives both and the main thread with it', async () => {
  const source = `
    import { parentPort } from 'node:worker_threads';
    import { Engine, provokePanic, provokePanicAsync } from ${JSON.stringify(INDEX)};
    const caught = [];
    try { provokePanic(); } catch (error) { caught.push(error instanceof Error && error.message); }
    await provokePanicAsync().catch((error) => caught.push(error instanceof Error && error.message));
    parentPort.postMessage([...caught, new Engine().features.length]);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const [thrown, rejected, features] = await new Promise<unknown[]>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await worker.terminate();
  expect(thrown).toContain('provoked on purpose');
  expect(rejected).toContain('provoked on purpose');
  expect(features).toBe(19);
  expect(new Engine().features).toHaveLength(19);
});
