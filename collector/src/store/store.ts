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

export interface WindowPageQuery {
  limit: number;
  agent?: string | undefined;
  /** Id of the last window of the page before. */
  after?: string | undefined;
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

/** What a store may hold. */
export interface StoreLimits {
  /** Windows and records that arrived longer ago are removed. */
  windowsMs: number;
  recordsMs: number;
  /** Of the store on disk, its log included; the oldest windows and records go first. */
  maxBytes: number;
  /** Closed alerts; open ones always stay. */
  maxAlerts: number;
}

/** Why a store does not do its work, for people and programs. */
export interface StoreProblem {
  code: 'store_failing' | 'store_damaged' | 'store_set_aside' | 'history_cut';
  sinceMs: number;
  /** What happened, where, and what to do. */
  message: string;
}

export interface StoreState {
  problems: readonly StoreProblem[];
  /** Why the last write failed; null when it did not. */
  failing: string | null;
  bytes: number;
  maxBytes: number;
  /** Arrival of the oldest window. */
  windowsSinceMs: number | null;
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
  windowPage(query: WindowPageQuery): Promise<WindowView[]>;
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
  /** Removes one step of what is too old or too much; resolves to whether there is more to remove. */
  prune(nowMs: number): Promise<boolean>;
  /** Writes something that means nothing: whether the store can be written at all. */
  probe(): Promise<void>;
  /** As of the last write. */
  readonly state: StoreState;
}

/** The store cannot be opened or used; the message says what to do. */
export class StoreError extends Error {
  override name = 'StoreError';
}

/** Too many questions are waiting already; nothing is wrong with the store. */
export class StoreBusyError extends StoreError {
  override name = 'StoreBusyError';
}

/** A question took longer than it may. */
export class StoreTimeoutError extends StoreError {
  override name = 'StoreTimeoutError';
}
