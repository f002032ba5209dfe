/** For tests: the scoring of an agent, in event time unless told otherwise. */
import { DEFAULT_BUDGET, DEFAULT_WINDOW_SECONDS } from '@lineheron/models';
import { EventClock } from './score/device-clock.js';
import {
  DEFAULT_HOP_SECONDS,
  type DetectionSettings,
  type EngineSettings,
  MAX_DEVICES,
  Scoring,
  type ScoringOptions,
} from './score/scoring.js';

export const TEST_BOOT = '0123456789abcdef';

type Changes = Omit<Partial<ScoringOptions>, 'engine' | 'detection'> & {
  engine?: Partial<EngineSettings>;
  detection?: Partial<DetectionSettings>;
};

/** What is not given is as in production; an engine that fails fails the test. */
export function testScoring({ engine = {}, detection = {}, ...changes }: Changes = {}): Scoring {
  return new Scoring({
    ...{ agent: 'gw', boot: TEST_BOOT },
    maintenance: () => [],
    clock: new EventClock(MAX_DEVICES),
    nowMs: () => Date.now(),
    onWindow: () => {},
    onEngineError: (error) => {
      throw error;
    },
    ...changes,
    engine: {
      ...{ windowSeconds: DEFAULT_WINDOW_SECONDS, channels: [] },
      ...{ publishRecords: 'all', hopSeconds: DEFAULT_HOP_SECONDS },
      ...engine,
    },
    detection: {
      ...{ detecting: false, activeModel: 'ensemble', budget: DEFAULT_BUDGET, threshold: null },
      ...detection,
    },
  });
}
