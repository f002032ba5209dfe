/**
 * The one way to build what scores lines: the engine with its baselines, forests and devices' own thresholds, and the
 * pipeline around it with episodes, silences and the training filter. The daemon, `replay`, `tap`, `top` and `evaluate` all
 * use it; they differ in their clock and in who receives what comes out.
 */
import { type ActiveModel, budgetOfDetector, type CannotAlert, type Scope } from '@lineheron/models';
import { type ChannelDefinition, Engine } from '@lineheron/native';
import { type ForestFigures, fleetTail, forestThreshold, whyForestCannotAlert } from './forest-threshold.js';
import type { Maintenance } from './only-normal.js';
import { Pipeline, type PipelineOptions } from './pipeline.js';

/** Devices followed at once; of more, the one silent longest is forgotten. */
export const MAX_DEVICES = 10_000;

/** What the engine is made of. */
export interface EngineSettings {
  windowSeconds: number;
  /** Beyond the default ones. */
  channels: readonly ChannelDefinition[];
  publishRecords: 'none' | 'anomalous' | 'all';
  /** Least time between two published windows of a device; 0 for every window. */
  hopSeconds: number;
}

export const DEFAULT_HOP_SECONDS = 1;

/** Whether and by whom windows are found suspect. */
export interface DetectionSettings {
  detecting: boolean;
  activeModel: ActiveModel;
  /** False alert episodes per device per day. */
  budget: number;
  /** In place of the forests' own, 0–1; null: theirs. */
  threshold: number | null;
}

export interface ScoringOptions
  extends Omit<PipelineOptions, 'engine' | 'windowSeconds' | 'active' | 'maxDevices'> {
  engine: EngineSettings;
  detection: DetectionSettings;
  maintenance: () => readonly Maintenance[];
}

export function newEngine({ windowSeconds, channels, publishRecords, hopSeconds }: EngineSettings): Engine {
  return new Engine({
    ...{ windowSeconds, publishRecords, hopSeconds, maxDevices: MAX_DEVICES },
    channels: channels.map((channel) => ({ ...channel })),
  });
}

export class Scoring {
  readonly engine: Engine;
  readonly windowSeconds: number;
  readonly pipeline: Pipeline;
  private detection: DetectionSettings;
  private readonly forests = new Map<Scope, ForestFigures>();

  constructor(options: ScoringOptions) {
    const { engine: settings, detection, ...rest } = options;
    this.engine = newEngine(settings);
    this.windowSeconds = settings.windowSeconds;
    this.detection = detection;
    this.pipeline = new Pipeline({
      ...rest,
      engine: this.engine,
      windowSeconds: settings.windowSeconds,
      maxDevices: MAX_DEVICES,
      active: () => this.detection.activeModel,
    });
    this.setDetection(detection);
  }

  /** The active model and the budget set the thresholds of the forests in use anew. */
  setDetection(detection: DetectionSettings): void {
    const { engine } = this;
    const { detecting, activeModel, budget } = detection;
    this.detection = detection;
    engine.setActive(activeModel);
    engine.setBudget(budgetOfDetector('adaptive_baseline', activeModel, budget));
    for (const forest of this.forests.values()) this.applyThreshold(forest);
    engine.setDetecting(detecting);
  }

  /** Takes a forest into use and returns its threshold. Throws when the engine refuses it. */
  useForest(forest: ForestFigures, payload: Uint8Array): number | null {
    this.engine.setForest(forest.scope, payload);
    this.forests.set(forest.scope, forest);
    return this.applyThreshold(forest);
  }

  /** The threshold that a forest would have in use; null when it could not alert. */
  thresholdOf(forest: ForestFigures): number | null {
    const { activeModel, budget, threshold } = this.detection;
    return threshold ?? forestThreshold(forest, activeModel, budget);
  }

  /** Why a forest could not alert; null where it could. */
  whyCannotAlert(forest: ForestFigures): CannotAlert | null {
    const { activeModel, budget, threshold } = this.detection;
    return threshold === null ? whyForestCannotAlert(forest, activeModel, budget) : null;
  }

  private applyThreshold(forest: ForestFigures): number | null {
    const { activeModel, budget, threshold } = this.detection;
    const { scope } = forest;
    const used = this.thresholdOf(forest);
    this.engine.setThreshold(scope, used);
    if (scope === 'device')
      this.engine.setFleetTail(threshold === null ? fleetTail(forest, activeModel, budget) : null);
    return used;
  }
}
