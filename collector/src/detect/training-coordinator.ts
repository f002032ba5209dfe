/**
 * Runs one training at a time: tells agents, gathers windows meanwhile, fits the autoencoders, follows the agents'
 * reports and keeps the record. Everything outside (clock, messages, store) comes in as functions.
 */
import { setTimeout } from 'node:timers/promises';
import { type Command, HISTORY_WINDOWS, SCOPES, type Scope, type Training } from '@lineheron/models';
import { type FitRequest, type FitResult, type HistoryRows, rowCount } from './autoencoder-trainer.js';
import { type GatheredWindow, RowBuffers } from './row-buffer.js';
import { type HistoryWanted, lostSentence, trainingRows } from './training-rows.js';
import {
  cancelled,
  concluded,
  interrupted,
  isAgentEnded,
  isTrainingEnded,
  type TrainingEvent,
  withAgentEvent,
  withMissed,
  withProgress,
} from './training-state.js';

export interface TrainingOptions {
  durationSeconds: number;
  epochs: number;
  useHistory: boolean;
  /** Agents to train; all online ones when null. */
  agents: readonly string[] | null;
}

export interface TrainingDependencies {
  now: () => number;
  newId: () => string;
  seed: number;
  onlineAgents: () => ReadonlyArray<{ id: string; fingerprint: string }>;
  /** To the agents named, or to the whole fleet when null. */
  send: (agents: readonly string[] | null, command: Command) => void;
  history: (query: HistoryWanted) => Promise<HistoryRows>;
  /** Agents that the autoencoder in use was trained on. */
  covered: (scope: Scope, fingerprint: string) => readonly string[];
  fit: (request: FitRequest) => Promise<FitResult>;
  save: (training: Training) => Promise<void>;
  onChange: (training: Training) => void;
  onProblem: (message: string) => void;
}

interface Running {
  training: Training;
  endMs: number;
  buffers: RowBuffers;
  heardMs: Map<string, number>;
  models: number;
  abort: AbortController;
  /** Aborted by the collector's end, not by a person. */
  stopped: boolean;
  ended: Promise<Training>;
}

const TICK_MS = 500;
/** For batches that are still on their way when collecting ends. */
const GRACE_MS = 1500;
/** However often an agent reports, its fitting may not last longer than this. */
const MAX_FITTING_MS = 600_000;

export class TrainingCoordinator {
  private running: Running | null = null;
  private last: Training | null = null;

  constructor(private readonly dependencies: TrainingDependencies) {}

  /** The running training, or the last one. */
  get current(): Training | null {
    return this.running?.training ?? this.last;
  }

  get isRunning(): boolean {
    return this.running !== null;
  }

  /** The clock was set by so much: a training that runs takes as long as it would have. */
  clockMoved(byMs: number): void {
    if (!this.running) return;
    this.running.endMs += byMs;
    for (const [agent, ms] of this.running.heardMs) this.running.heardMs.set(agent, ms + byMs);
  }

  /** Remembers the last training of an earlier run, for show. */
  remember(training: Training | null): void {
    this.last = training;
  }

  /** Begins a training; the caller has checked that none runs and that someone is there. */
  async start(options: TrainingOptions): Promise<Training> {
    const { now, newId, onlineAgents, seed, send } = this.dependencies;
    const startMs = now();
    const online = new Map(onlineAgents().map(({ id, fingerprint }) => [id, fingerprint]));
    const training = newTraining(newId(), options, [...online.keys()], startMs);
    const buffers = new RowBuffers(HISTORY_WINDOWS, seed);
    for (const fingerprint of online.values()) for (const scope of SCOPES) buffers.buffer(scope, fingerprint);
    const running: Running = {
      training,
      endMs: startMs + options.durationSeconds * 1000,
      buffers,
      heardMs: new Map(),
      models: buffers.all.length,
      abort: new AbortController(),
      stopped: false,
      ended: Promise.resolve(training),
    };
    this.running = running;
    try {
      await this.dependencies.save(training);
    } catch (error) {
      this.running = null;
      throw error;
    }
    send(options.agents, {
      v: 1,
      type: 'train',
      request_id: training.id,
      duration_seconds: options.durationSeconds,
      use_history: options.useHistory,
    });
    running.ended = this.run(running, options);
    this.dependencies.onChange(training);
    return training;
  }

  /** Resolves to its last state when the training with that id has ended; null when it is not running. */
  ended(id: string): Promise<Training> | null {
    return this.running?.training.id === id ? this.running.ended : null;
  }

  /** Cancels the running training; false when that one is not running. */
  async cancel(id: string): Promise<boolean> {
    const running = this.running;
    if (running?.training.id !== id) return false;
    this.dependencies.send(null, { v: 1, type: 'cancel_training', request_id: id });
    running.abort.abort();
    await running.ended;
    return true;
  }

  /** Ends the running training, because the collector does. */
  async stop(): Promise<void> {
    const running = this.running;
    if (!running) return;
    running.stopped = true;
    running.abort.abort();
    await running.ended;
  }

  gather(window: GatheredWindow): void {
    if (this.running?.training.state === 'collecting') this.running.buffers.add(window);
  }

  hear(agent: string, event: TrainingEvent): void {
    const running = this.running;
    if (running?.training.id !== event.request_id) return;
    running.heardMs.set(agent, this.dependencies.now());
    this.update(running, withAgentEvent(running.training, agent, event));
  }

  private async run(running: Running, options: TrainingOptions): Promise<Training> {
    const { now, onProblem } = this.dependencies;
    try {
      const grace = options.durationSeconds > 0 ? GRACE_MS : 0;
      await this.wait(running, () => now() >= running.endMs + grace);
      if (!running.abort.signal.aborted) {
        this.update(running, { ...running.training, state: 'fitting' });
        await this.fitAll(running, options);
        await this.wait(running, () => this.agentsEnded(running));
      }
      return await this.finish(running);
    } catch (error) {
      onProblem(`training ${running.training.id}: ${String(error)}`);
      const message = `It ended with an error: ${error instanceof Error ? error.message : String(error)}.`;
      running.training = { ...concluded(running.training, now()), state: 'failed', message };
      return await this.finish(running);
    }
  }

  private agentsEnded(running: Running): boolean {
    const { now } = this.dependencies;
    const late = now() > running.endMs + MAX_FITTING_MS;
    const heardMs = late ? new Map<string, number>() : running.heardMs;
    const training = withMissed(running.training, running.endMs, heardMs, now());
    if (training.agents.some((part, at) => part !== running.training.agents[at]))
      this.update(running, training);
    return training.agents.every(isAgentEnded);
  }

  private async fitAll(running: Running, options: TrainingOptions): Promise<void> {
    for (const { scope, fingerprint, rows: gathered } of running.buffers.all) {
      if (running.abort.signal.aborted) return;
      const { history, lost } = await trainingRows(
        {
          scope,
          fingerprint,
          gathered,
          useHistory: options.useHistory,
          covered: this.dependencies.covered(scope, fingerprint),
        },
        this.dependencies.history,
      );
      const rows = rowCount(gathered, history);
      const outcome = await this.dependencies
        .fit({ scope, fingerprint, gathered, history, epochs: options.epochs })
        .then(
          ({ manifest, epochsRun }) => ({
            state: 'done' as const,
            rows: manifest.rows,
            epochs_run: epochsRun,
            threshold: manifest.threshold,
            message: lostSentence(lost),
          }),
          (error: unknown) => ({
            state: 'failed' as const,
            rows,
            epochs_run: 0,
            threshold: null,
            message: error instanceof Error ? error.message : String(error),
          }),
        );
      const autoencoders = [...running.training.autoencoders, { scope, fingerprint, ...outcome }];
      this.update(running, { ...running.training, autoencoders });
    }
  }

  private async finish(running: Running): Promise<Training> {
    const nowMs = this.dependencies.now();
    let { training } = running;
    if (running.stopped) training = interrupted(training, nowMs);
    else if (running.abort.signal.aborted) training = cancelled(training, nowMs);
    else if (!isTrainingEnded(training)) training = concluded(training, nowMs);
    this.last = training;
    this.running = null;
    await this.dependencies.save(training).catch((error: unknown) => {
      this.dependencies.onProblem(`the record of training ${training.id} was not kept: ${String(error)}`);
    });
    this.dependencies.onChange(training);
    return training;
  }

  /** Waits for a condition, showing progress as time goes by; a cancelled training waits no longer. */
  private async wait(running: Running, reached: () => boolean): Promise<void> {
    const { signal } = running.abort;
    while (!signal.aborted && !reached()) {
      await setTimeout(TICK_MS, undefined, { signal }).catch(() => {});
      if (!signal.aborted) this.update(running, running.training);
    }
  }

  private update(running: Running, training: Training): void {
    running.training = withProgress(training, running.endMs, running.models, this.dependencies.now());
    this.dependencies.onChange(running.training);
  }
}

function newTraining(
  id: string,
  options: TrainingOptions,
  online: readonly string[],
  nowMs: number,
): Training {
  const named = options.agents ?? online;
  return {
    id,
    state: 'collecting',
    requested_at: new Date(nowMs).toISOString(),
    finished_at: null,
    duration_seconds: options.durationSeconds,
    epochs: options.epochs,
    use_history: options.useHistory,
    progress: 0,
    seconds_left: options.durationSeconds,
    agents: [...new Set(named)].map((agent) => {
      const there = online.includes(agent);
      const rows = { device: 0, gateway: 0 };
      return {
        id: agent,
        state: there ? 'waiting' : 'missed',
        rows,
        message: there ? null : 'is not online',
      };
    }),
    autoencoders: [],
    message: null,
  };
}
