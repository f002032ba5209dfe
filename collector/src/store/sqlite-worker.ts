/** Worker thread entry: opens the SQLite store and answers calls in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads';
import { SqliteEngine } from './sqlite-engine.js';
import type { EngineCall, EngineReply } from './sqlite-store.js';

const port = parentPort!;
const answer = (reply: EngineReply) => port.postMessage(reply);
const text = (error: unknown) => (error instanceof Error ? error.message : String(error));

let engine: SqliteEngine | null = null;
try {
  engine = new SqliteEngine((workerData as { path: string }).path);
  answer({ id: 0 });
} catch (error) {
  answer({ id: 0, error: text(error) });
}

port.on('message', ({ id, method, args }: EngineCall) => {
  try {
    const call = engine![method] as (...values: unknown[]) => unknown;
    answer({ id, result: call.apply(engine, args) });
  } catch (error) {
    answer({ id, error: text(error) });
  }
  if (method === 'close') port.close();
});
