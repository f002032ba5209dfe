/**
 * A gateway as in production, fed with the lines of files: the engine with the agent's own pipeline around it, so that
 * episodes and what a model may learn from are those of the running agent. Labels come out with the windows.
 */
import { DEFAULT_WINDOW_SECONDS } from '@lineheron/models';
import type { ChannelDefinition, Engine, WindowResult } from '@lineheron/native';
import { EventClock } from '../score/device-clock.js';
import type { Maintenance } from '../score/only-normal.js';
import { MAX_DEVICES, Scoring } from '../score/scoring.js';

/** What a configuration says of how records are judged. */
export interface GatewaySettings {
  windowSeconds: number;
  /** Beyond the default ones. */
  channels: ChannelDefinition[];
  /** Share of the training windows that a forest by itself takes as anomalous; the budget does not ask for it. */
  contamination: number;
  maintenance: readonly Maintenance[];
}

export const DEFAULT_GATEWAY: GatewaySettings = {
  windowSeconds: DEFAULT_WINDOW_SECONDS,
  channels: [],
  contamination: 0.1,
  maintenance: [],
};

/** A device's full window, with the episode that its gateway put it in. */
export interface JudgedWindow extends WindowResult {
  episode: string | null;
}

export type Features = readonly (number | null)[];

const LINE_FEED = 10;
/** Lines are handed on in pieces: what a piece gave is in memory at once. */
const BLOCK_BYTES = 256 * 1024;
/** Later than any line, so that none is ahead of its arrival. */
const FAR_MS = Date.UTC(9000, 0, 1);
/** Stands in ids, which nobody sees. */
const BOOT = '0000000000000000';

export class Gateway {
  readonly scoring: Scoring;
  private windows: JudgedWindow[] = [];
  private lessons: Features[] = [];

  /** All detectors of the agent are heard, each as the budget allows, and a window comes out for each record. */
  constructor({ windowSeconds, channels, maintenance }: GatewaySettings, budget: number) {
    this.scoring = new Scoring({
      engine: { windowSeconds, channels, hopSeconds: 0, publishRecords: 'none' },
      detection: { detecting: true, activeModel: 'ensemble', budget, threshold: null },
      ...{ agent: 'evaluate', boot: BOOT },
      maintenance: () => maintenance,
      clock: new EventClock(MAX_DEVICES),
      nowMs: () => FAR_MS,
      onWindow: (scope, _endMs, features) => scope === 'device' && this.lessons.push(features),
      publishes: false,
      onScored: ({ episode, result }) => {
        if (result.scope === 'device' && result.state !== 'warming_up')
          this.windows.push({ ...result, episode });
      },
      onEngineError: (error) => {
        throw error;
      },
    });
  }

  get engine(): Engine {
    return this.scoring.engine;
  }

  /** The windows that these lines gave, and the features of those that a model may learn from. */
  push(bytes: Buffer): { windows: JudgedWindow[]; lessons: Features[] } {
    for (const block of blocks(bytes)) {
      this.scoring.pipeline.push({ bytes: block, emit: true, position: null });
      this.scoring.pipeline.take();
    }
    const { windows, lessons } = this;
    [this.windows, this.lessons] = [[], []];
    return { windows, lessons };
  }
}

/** Whole lines; a last one without its end gets one. */
function* blocks(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, from + BLOCK_BYTES);
    const end = found < 0 ? bytes.length : found + 1;
    const block = bytes.subarray(from, end);
    yield block.at(-1) === LINE_FEED ? block : Buffer.concat([block, Buffer.of(LINE_FEED)]);
    from = end;
  }
}
