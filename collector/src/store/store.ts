/**
 * What the collector keeps, behind one interface so that another engine can take SQLite's place. Every method is one
 * transaction; a resolved `commit` is durable. Writing the same batch twice stores it once.
 */
import type { ActiveModel, Alert, RecordView, Scope, Training, WindowView } from '@lineheron/models';
import type { BootKey, ReceivedRange } from '../spans.js';

interface Placed {
  boot: string;
  sequence: number;
  index: number;
}

export interface StoredWindow extends Placed {
  fingerprint: string;
  features: ReadonlyArray<number | null>;
  view: WindowView;
}

export interface StoredRecord extends Placed {
  view: RecordView;
}

export interface Commit {
  ranges: readonly ReceivedRange[];
  windows: readonly StoredWindow[];
  records: readonly StoredRecord[];
  alerts: readonly Alert[];
  /** Added to the totals in the same transaction. */
  totals: Readonly<Record<string, number>>;
}

export interface WindowFilter {
  limit: number;
  agent?: string | undefined;
  device?: string | undefined;
  scope?: Scope | undefined;
  anomalous?: boolean | undefined;
  /** Only what arrived since, epoch ms. */
  sinceMs?: number | undefined;
}

export interface AlertFilter {
  limit: number;
  agent?: string | undefined;
  device?: string | undefined;
  status?: 'open' | 'closed' | undefined;
}

export interface HistoryQuery {
  scope: Scope;
  fingerprint: string;
  limit: number;
  /** Only of these; of all when absent. */
  agents?: readonly string[];
}

/** Windows to train on, row after row; a missing feature is NaN. */
export interface HistoryRows {
  columns: number;
  rows: Float32Array;
  agents: string[];
  /** How many rows each of them gave, in their order. */
  counts: number[];
  /** How many rows each line gave. */
  lines: { agent: string; device: string; rows: number }[];
  oldestMs: number | null;
  newestMs: number | null;
}

export interface Retention {
  windowsBeforeMs: number;
  maxWindows: number;
  recordsBeforeMs: number;
  maxRecords: number;
  maxAlerts: number;
  /** Most rows of a table to remove in this step. */
  step: number;
}

export interface Settings {
  detecting: boolean;
  active_model: ActiveModel;
}

export interface Store {
  readonly isOpen: boolean;
  open(): Promise<void>;
  close(): Promise<void>;
  commit(commit: Commit): Promise<void>;
  /** Of all boots that are kept account of, or of these: then also by the rows that are stored of them. */
  receivedRanges(boots?: readonly BootKey[]): Promise<ReceivedRange[]>;
  /** Whether any row of each batch is stored. */
  hasBatches(batches: readonly (BootKey & { sequence: number })[]): Promise<boolean[]>;
  totals(): Promise<Record<string, number>>;
  /** Newest first. */
  recentWindows(filter: WindowFilter): Promise<WindowView[]>;
  /** In the order of (agent, boot, sequence, index), after the window with that id. */
  windowPage(query: {
    limit: number;
    agent?: string | undefined;
    after?: string | undefined;
  }): Promise<WindowView[]>;
  /** Newest first. */
  recentRecords(limit: number): Promise<RecordView[]>;
  /** Open ones first, then newest first. */
  alerts(filter: AlertFilter): Promise<Alert[]>;
  alert(id: string): Promise<Alert | null>;
  history(query: HistoryQuery): Promise<HistoryRows>;
  saveTraining(training: Training): Promise<void>;
  /** Newest first. */
  trainings(limit: number): Promise<Training[]>;
  training(id: string): Promise<Training | null>;
  settings(): Promise<Partial<Settings>>;
  saveSettings(settings: Partial<Settings>): Promise<void>;
  /** Removes one step of what is too old or too much; resolves to the rows removed. */
  prune(retention: Retention): Promise<number>;
}

/** The store cannot be opened or used; the message says what to do. */
export class StoreError extends Error {
  override name = 'StoreError';
}
