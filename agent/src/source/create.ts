/** Makes the configured source. */
import type { Clock } from '../clock.js';
import type { SourceConfig } from '../config-source.js';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import { GenerateSource } from './generate.js';
import { HostSource, type RoundTrip } from './host.js';
import { tcpRoundTrip } from './round-trip.js';
import type { Source } from './source.js';
import { TailSource } from './tail.js';

export interface CreateOptions {
  config: SourceConfig;
  windowSeconds: number;
  /** The newest durable position. */
  saved: unknown;
  /** Whether a device forest is on disk. */
  trained: boolean;
  brokerRoundTrip: RoundTrip;
  clock: Clock;
  log: Log;
  counters: Counters;
}

export function createSource(options: CreateOptions): Source {
  const { config, clock, log, counters } = options;
  switch (config.type) {
    case 'generate':
      return new GenerateSource({ config, backfill: !options.trained, clock, log, counters });
    case 'host':
      return new HostSource({
        config,
        device: config.device_id ?? 'this-host',
        roundTrip: config.target ? tcpRoundTrip(config.target, clock) : options.brokerRoundTrip,
        target: config.target ?? 'the broker',
        clock,
      });
    case 'tail':
      return new TailSource({
        config,
        saved: options.saved,
        windowSeconds: options.windowSeconds,
        clock,
        log,
        counters,
      });
  }
}
