/** Worker thread entry: one that reads the SQLite store. */
import { workerData } from 'node:worker_threads';
import { answerCalls } from './answer-calls.js';
import { SqliteReader } from './sqlite-reader.js';

const { path, limitMs } = workerData as { path: string; limitMs: number };

answerCalls(path, () => ({ target: new SqliteReader(path, limitMs) }));
