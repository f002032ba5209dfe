/**
 * What the agent reads: its sources, each with the format of its lines, and their way into pipeline and spool. Begins
 * where the spool's position says; takes other sources while it runs, and the rest goes on undisturbed.
 */
import type { ActiveModel } from '@lineheron/models';
import type { Engine } from '@lineheron/native';
import type { Clock } from './clock.js';
import type { Config } from './config.js';
import type { Counters } from './counters.js';
import { Intake } from './intake.js';
import type { Log } from './log.js';
import { addFormat, CANONICAL } from './parts.js';
import type { Ask } from './reply.js';
import type { Output, Pipeline } from './score/pipeline.js';
import { buildFeed, buildFeeds, type Feed, type FeedContext, type Feeds } from './source/feeds.js';
import { changeFeeds } from './source/feeds-change.js';
import type { Spool } from './spool/spool.js';

export interface ReadingOptions {
  engine: Engine;
  pipeline: Pipeline;
  spool: Spool;
  clock: Clock;
  /** In [0, 1), for jitter. */
  random: () => number;
  log: Log;
  counters: Counters;
  /** Whether a device forest is there already. */
  trained: () => boolean;
  active: () => ActiveModel;
  /** By an MQTT ping. */
  brokerRoundTrip: Ask;
  onLines: (source: string, bytes: Uint8Array) => void;
  onPushed: (feed: Feed, bytes: Uint8Array) => void;
  onDurable: (output: Output) => void;
}

export class Reading {
  private constructor(
    private readonly options: ReadingOptions,
    readonly feeds: Feeds,
    private readonly intake: Intake,
  ) {}

  /** Nothing is read before `start`. Throws ConfigError when the engine refuses a format. */
  static of(config: Config, options: ReadingOptions): Reading {
    const { engine, pipeline, spool, clock, random, log, counters, onLines, onPushed, onDurable } = options;
    const format = (source: Config['sources'][number]) => addFormat(engine, source);
    const feeds = buildFeeds(config.sources, spool.position, contextOf(config, options), format);
    const parts = { feeds, pipeline, spool, clock, random, log, counters };
    return new Reading(options, feeds, new Intake({ ...parts, onLines, onPushed, onDurable }));
  }

  start(): void {
    this.intake.start();
  }

  /** Every source has come to its end by itself. */
  get ended(): boolean {
    return this.intake.ended;
  }

  /** Resolves when the sources of `config` are read. Throws ConfigError, with nothing changed, as `of`. */
  async change(config: Config): Promise<void> {
    const { engine, pipeline } = this.options;
    const context = contextOf(config, this.options);
    await changeFeeds(this.feeds, config.sources, {
      addFormat: (source) => addFormat(engine, source),
      removeFormat: (format) => format !== CANONICAL && engine.removeFormat(format),
      make: (source, format, beginning) => buildFeed(source, format, beginning, context),
      begin: (feed) => this.intake.begin(feed),
      end: (feed) => this.intake.end(feed),
    });
    pipeline.sourcesChanged();
  }

  /** Ends the sources and makes durable what they gave. */
  stop(): Promise<void> {
    return this.intake.stop();
  }
}

function contextOf(config: Config, options: ReadingOptions): FeedContext {
  const { clock, random, log, counters, trained, active, brokerRoundTrip } = options;
  return {
    windowSeconds: config.window_size_seconds,
    trained: trained(),
    channels: config.channels.map(({ name }) => name),
    agentId: config.agent_id,
    ...{ active, brokerRoundTrip, clock, random, log, counters },
  };
}
