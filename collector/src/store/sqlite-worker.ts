/** Worker thread entry: the one that writes the SQLite store. */
import { workerData } from 'node:worker_threads';
import { answerCalls } from './answer-calls.js';
import { openStore } from './open-store.js';
import { SqliteEngine } from './sqlite-engine.js';
import type { StoreLimits } from './store.js';

const { path, limits } = workerData as { path: string; limits: StoreLimits };

answerCalls(path, () => {
  const nowMs = Date.now();
  const { database, unchecked, setAside } = openStore(path, nowMs);
  const engine = new SqliteEngine(database, path, limits);
  return { target: engine, ready: { unchecked, setAside, usage: engine.usage(nowMs) } };
});
