/**
 * Writes windows and records into the newest slice, inside the transaction of a commit. What it knows of the slice
 * (numbers of lines, next row ids) is read back after a transaction that failed.
 */
import type { Database, Statement } from 'better-sqlite3';
import type { CommitRows, WindowRowValues } from './commit-rows.js';
import type { BatchKey } from './received.js';
import { type LineNumbers, scopeNumber, WINDOW_COLUMNS } from './rows.js';

interface LineRow {
  line: number;
  agent: string;
  device: string;
  scope: string;
  fingerprint: string;
  agent_number: number;
  device_number: number;
}

type Statements = Record<'line' | 'batch' | 'window' | 'record', Statement>;

export class SliceWriter {
  private readonly lines = new Map<string, LineNumbers>();
  private readonly agents = new Map<string, number>();
  private readonly devices = new Map<string, number>();
  private statements!: Statements;
  private nextLine = 1;
  private nextBatch = 1;
  private nextId = 1;
  private nextRecord = 1;

  constructor(
    private readonly database: Database,
    private n: number,
  ) {
    this.moveTo(n);
  }

  get slice(): number {
    return this.n;
  }

  /** Goes on in this slice. */
  moveTo(n: number): void {
    this.n = n;
    this.reload();
  }

  /** A transaction failed: what was numbered in it is not there. */
  reload(): void {
    this.prepare();
    this.recall();
  }

  /** The batches of a commit that are not stored yet, with the row ids that their windows are about to get. */
  plan({ windows, records, receivedMs }: CommitRows, isStored: (batch: PlannedBatch) => boolean): BatchPlan {
    const batches: BatchPlan = new Map();
    const add = ({ agent, boot, sequence }: BatchKey, id: number) => {
      const key = keyOf(agent, boot, sequence);
      const batch = batches.get(key);
      if (batch) batch.lastId = Math.max(batch.lastId, id);
      else batches.set(key, { agent, boot, sequence, receivedMs, firstId: id, lastId: id, number: 0 });
    };
    windows.forEach((window, at) => {
      add(window, this.nextId + at);
    });
    for (const record of records) add(record, 0);
    for (const [key, batch] of batches) if (isStored(batch)) batches.delete(key);
    return batches;
  }

  write({ windows, records, features }: CommitRows, batches: BatchPlan): void {
    for (const [key, batch] of batches) {
      const { agent, boot, sequence, receivedMs, firstId, lastId } = batch;
      const values = [this.nextBatch, agent, boot, sequence, receivedMs, firstId, lastId];
      if (this.statements.batch.run(values).changes === 1) batch.number = this.nextBatch++;
      else batches.delete(key);
    }
    let offset = features.byteOffset;
    for (const window of windows) {
      const id = this.nextId++;
      const bytes = window.columns * features.BYTES_PER_ELEMENT;
      const own = Buffer.from(features.buffer, offset, bytes);
      offset += bytes;
      const batch = batches.get(keyOf(window.agent, window.boot, window.sequence));
      if (batch) this.insert(window, id, batch.number, own);
    }
    for (const { agent, boot, sequence, body } of records) {
      if (batches.has(keyOf(agent, boot, sequence))) this.statements.record.run(this.nextRecord++, body);
    }
  }

  private insert(window: WindowRowValues, id: number, batch: number, features: Buffer): void {
    const { line, device, agent } = this.lineOf(window);
    const place = [id, batch, window.index, line, device, agent, scopeNumber(window.scope)];
    this.statements.window.run([...place, ...window.values, features]);
  }

  private lineOf({ agent, device, scope, fingerprint }: WindowRowValues): LineNumbers {
    const key = `${agent}/${device}/${scope}/${fingerprint}`;
    const known = this.lines.get(key);
    if (known) return known;
    const line = this.nextLine++;
    const numbers = this.number(line, agent, device, scope, key);
    this.statements.line.run(line, agent, device, scope, fingerprint, numbers.agent, numbers.device);
    return numbers;
  }

  /** An agent and a device are numbered by their first line. */
  private number(line: number, agent: string, device: string, scope: string, key: string): LineNumbers {
    const named = `${device}/${scope}`;
    if (!this.agents.has(agent)) this.agents.set(agent, line);
    if (!this.devices.has(named)) this.devices.set(named, line);
    const numbers = { line, agent: this.agents.get(agent)!, device: this.devices.get(named)! };
    this.lines.set(key, numbers);
    return numbers;
  }

  private prepare(): void {
    const { database, n } = this;
    const places = WINDOW_COLUMNS.split(', ').map(() => '?');
    this.statements = {
      line: database.prepare(`INSERT INTO lines_${n} VALUES (?, ?, ?, ?, ?, ?, ?)`),
      batch: database.prepare(
        `INSERT INTO batches_${n} VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (agent, boot, sequence) DO NOTHING`,
      ),
      window: database.prepare(`INSERT INTO windows_${n} (${WINDOW_COLUMNS}) VALUES (${places.join(', ')})`),
      record: database.prepare(`INSERT INTO records_${n} VALUES (?, ?)`),
    };
  }

  private recall(): void {
    const { database, n } = this;
    for (const map of [this.lines, this.agents, this.devices]) map.clear();
    const lines = database.prepare(`SELECT * FROM lines_${n} ORDER BY line`).all() as LineRow[];
    for (const { line, agent, device, scope, fingerprint } of lines) {
      this.number(line, agent, device, scope, `${agent}/${device}/${scope}/${fingerprint}`);
    }
    const next = (column: string, table: string) => {
      const row = database.prepare(`SELECT coalesce(max(${column}), 0) + 1 AS next FROM ${table}`).get();
      return (row as { next: number }).next;
    };
    this.nextLine = next('line', `lines_${n}`);
    this.nextBatch = next('batch', `batches_${n}`);
    this.nextId = next('id', `windows_${n}`);
    this.nextRecord = next('id', `records_${n}`);
  }
}

export interface PlannedBatch {
  agent: string;
  boot: string;
  sequence: number;
  receivedMs: number;
  /** Row ids of its windows, 0 without any. */
  firstId: number;
  lastId: number;
  number: number;
}

type BatchPlan = Map<string, PlannedBatch>;

const keyOf = (agent: string, boot: string, sequence: number) => `${agent}/${boot}/${sequence}`;
