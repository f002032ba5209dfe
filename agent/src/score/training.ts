/**
 * One training at a time: collect windows for a while, add the past when asked, fit a forest per scope, tell how it
 * goes. Bounded: of more windows than fit a random sample is kept.
 */
import type { AgentEvent, Scope } from '@lineheron/models';
import { SCOPES } from '@lineheron/models';
import type { Clock } from '../clock.js';
import { messageOf } from '../log.js';
import { MIN_TRAINING_ROWS } from './fit.js';
import { thresholdText } from './forest-threshold.js';
import type { Fitted, Forests } from './forests.js';
import type { History, HistoryRow } from './history.js';

type TrainingEvent = Extract<AgentEvent, { type: 'training' }>;
type Rows = Record<Scope, HistoryRow[]>;

export interface TrainRequest {
  requestId: string;
  durationSeconds: number;
  useHistory: boolean;
}

export interface TrainingOptions {
  forests: Forests;
  histories: Record<Scope, History>;
  clock: Clock;
  /** In [0, 1). Which windows are kept when there are too many. */
  random: () => number;
  onEvent: (event: AgentEvent) => void;
  /** Models in use have changed. */
  onTrained: () => void;
}

const MAX_COLLECTED_ROWS = 16_384;
const PROGRESS_EVERY_MS = 1_000;
/** Share of the progress that collecting makes up. */
const COLLECTING_SHARE = 0.9;

interface Run {
  request: TrainRequest;
  abort: AbortController;
  collecting: boolean;
  rows: Rows;
  /** Windows seen, kept or not. */
  seen: Record<Scope, number>;
}

export class Training {
  private run: Run | null = null;

  constructor(private readonly options: TrainingOptions) {}

  get running(): string | null {
    return this.run?.request.requestId ?? null;
  }

  /** Ends when the training has ended; never rejects. A second training is answered `failed`. */
  async start(request: TrainRequest): Promise<void> {
    if (this.run) {
      const message = `Another training (${this.run.request.requestId}) is running.`;
      this.tell(request, 'failed', 0, { device: 0, gateway: 0 }, message);
      return;
    }
    const run: Run = {
      request,
      abort: new AbortController(),
      collecting: true,
      rows: { device: [], gateway: [] },
      seen: { device: 0, gateway: 0 },
    };
    this.run = run;
    try {
      await this.perform(run);
    } catch (error) {
      this.tellRun(run, 'failed', 1, `Training failed: ${messageOf(error)}`);
    } finally {
      this.run = null;
    }
  }

  cancel(requestId: string): boolean {
    if (this.run?.request.requestId !== requestId) return false;
    this.run.abort.abort();
    return true;
  }

  /** A window to learn from. Keeps a uniform sample once there are too many. */
  collect(scope: Scope, row: HistoryRow): void {
    const run = this.run;
    if (!run?.collecting) return;
    const rows = run.rows[scope];
    run.seen[scope] += 1;
    if (rows.length < MAX_COLLECTED_ROWS) {
      rows.push(row);
      return;
    }
    const place = Math.floor(this.options.random() * run.seen[scope]);
    if (place < rows.length) rows[place] = row;
  }

  private async perform(run: Run): Promise<void> {
    const { histories } = this.options;
    const past: Rows = { device: [], gateway: [] };
    if (run.request.useHistory) for (const scope of SCOPES) past[scope] = await histories[scope].read();
    await this.collectForAWhile(run);
    run.collecting = false;
    const cancelled = () => run.abort.signal.aborted;
    for (const scope of SCOPES) run.rows[scope] = [...past[scope], ...run.rows[scope]];
    if (cancelled()) return this.tellRun(run, 'cancelled', 1);
    const shortage = lack('device', run.rows.device.length);
    if (shortage) return this.tellRun(run, 'failed', 1, shortage);
    this.tellRun(run, 'fitting', COLLECTING_SHARE);
    const notes: string[] = [];
    const fitted: Fitted[] = [];
    for (const scope of SCOPES) {
      const note = lack(scope, run.rows[scope].length);
      if (note) notes.push(note);
      else fitted.push(await this.options.forests.fit(scope, run.rows[scope]));
      if (cancelled()) return this.tellRun(run, 'cancelled', 1);
    }
    await this.install(fitted);
    this.tellRun(run, 'done', 1, notes.join(' ') || undefined);
  }

  /** All of them, once nothing can be cancelled any more: a cancelled training leaves every forest as it was. */
  private async install(all: readonly Fitted[]): Promise<void> {
    const { forests, onEvent, onTrained } = this.options;
    try {
      for (const fitted of all) {
        const { kind, scope, rows, threshold, cannot_alert, release } = await forests.install(fitted);
        const message = `${rows} windows, ${thresholdText(threshold, cannot_alert)}, release ${release}`;
        onEvent({ v: 1, type: 'model', accepted: true, kind, scope, message });
      }
    } finally {
      onTrained();
    }
  }

  private async collectForAWhile(run: Run): Promise<void> {
    const { clock } = this.options;
    const durationMs = run.request.durationSeconds * 1000;
    const startedMs = clock.monotonicMs();
    for (;;) {
      const elapsedMs = clock.monotonicMs() - startedMs;
      if (run.abort.signal.aborted || elapsedMs >= durationMs) return;
      this.tellRun(run, 'collecting', (COLLECTING_SHARE * elapsedMs) / durationMs);
      await clock.sleep(Math.min(PROGRESS_EVERY_MS, durationMs - elapsedMs), run.abort.signal);
    }
  }

  private tellRun(run: Run, phase: TrainingEvent['phase'], progress: number, message?: string): void {
    const rows = { device: run.rows.device.length, gateway: run.rows.gateway.length };
    this.tell(run.request, phase, progress, rows, message);
  }

  private tell(
    request: TrainRequest,
    phase: TrainingEvent['phase'],
    progress: number,
    rows: TrainingEvent['rows'],
    message?: string,
  ): void {
    this.options.onEvent({
      v: 1,
      type: 'training',
      request_id: request.requestId,
      phase,
      progress,
      rows,
      ...(message === undefined ? {} : { message: message.slice(0, 1024) }),
    });
  }
}

/** What to say when there are too few windows, null when there are enough. */
function lack(scope: Scope, rows: number): string | null {
  if (rows >= MIN_TRAINING_ROWS) return null;
  const whose = scope === 'device' ? 'device' : 'gateway';
  return `Too few ${whose} windows: ${rows} were there, ${MIN_TRAINING_ROWS} are needed.`;
}
