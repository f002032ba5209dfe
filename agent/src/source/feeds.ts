/**
 * All sources of one agent. Each keeps its position under its own name, and is made anew from it after a failure.
 * Together they are told in one sentence, as one source is.
 */
import type { FormatConfig } from '../config-format.js';
import { type SourceConfig, sourceName } from '../config-source.js';
import type { LineChunk } from '../engine-lines.js';
import { SOURCE_KINDS } from './kinds.js';
import type { Chunk, Phase, Position, Source, SourceContext, SourceKind } from './source.js';

/** What is the same for every source. */
export type FeedContext = Omit<SourceContext, 'saved' | 'refills'> & {
  /** Whose lines they are that name nobody. */
  agentId: string;
};

export interface FeedOptions {
  name: string;
  type: string;
  /** What it was made from. */
  config: SourceConfig | null;
  canWait: boolean;
  /** Of its lines, as the engine numbers them. */
  format: number;
  /** The device of lines that name none, where neither the source nor the format says it. */
  device?: string | undefined;
  saved: unknown;
  /** Whether the windows are empty yet; default true. */
  refills?: boolean;
  /** `refills`: the windows know nothing of what came before the position. */
  create: (position: unknown, refills: boolean) => Source;
}

/** One source and where it stands. */
export class Feed {
  /** The newest that is on its way to the disk. */
  position: unknown;
  source: Source;

  constructor(readonly options: FeedOptions) {
    this.position = options.saved;
    this.source = options.create(options.saved, options.refills ?? true);
  }

  /** What the source gave, as the engine is to read it. */
  lines({ bytes, emit, device, begins }: Chunk): LineChunk {
    return { bytes, emit, begins, format: this.options.format, device: device ?? this.options.device };
  }

  /** A source that failed is not used again. */
  renew(): void {
    this.source = this.options.create(this.position, false);
  }
}

export class Feeds {
  constructor(public list: readonly Feed[]) {}

  get canWait(): boolean {
    return this.list.some(({ options }) => options.canWait);
  }

  /** To be kept: all positions together. */
  position(): Position {
    const known = this.list.filter(({ position }) => position !== undefined);
    return { sources: Object.fromEntries(known.map((feed) => [feed.options.name, feed.position])) };
  }

  get type(): string {
    return [...new Set(this.list.map(({ options }) => options.type))].join('+').slice(0, 32);
  }

  get detail(): string {
    const only = this.list.length === 1 ? this.list[0] : undefined;
    if (only) return only.source.detail;
    return this.list.map(({ options, source }) => `${options.name}: ${source.detail}`).join('; ');
  }

  /** Live as long as one of them is; not before all of them are. */
  get phase(): Phase {
    const phases = this.list.map(({ source }) => source.phase);
    if (phases.includes('backfilling')) return 'backfilling';
    return phases.includes('live') ? 'live' : 'ended';
  }
}

/** Where a source begins. */
export interface Beginning {
  position: unknown;
  refills: boolean;
}

/** Makes one source; `format` is the engine's number of its lines' format. */
export function buildFeed(
  config: SourceConfig,
  format: number,
  { position, refills }: Beginning,
  context: FeedContext,
): Feed {
  return new Feed({
    name: sourceName(config),
    type: config.type,
    config,
    canWait: SOURCE_KINDS[config.type].canWait,
    format,
    device: deviceOfNameless(config, context.agentId),
    saved: position,
    refills,
    create: (saved, again) => createSource(config, { ...context, saved, refills: again }),
  });
}

/** Makes the configured sources. `format` numbers a source's format. */
export function buildFeeds(
  configs: readonly SourceConfig[],
  position: unknown,
  context: FeedContext,
  format: (config: SourceConfig) => number,
): Feeds {
  const beginning = (config: SourceConfig) => ({ position: savedOf(config, position), refills: true });
  return new Feeds(configs.map((config) => buildFeed(config, format(config), beginning(config), context)));
}

/**
 * A gateway's own log often names no host: its lines are the gateway's. Not where the format says which field names
 * the device (a line without it must not be put down to another), and not in canonical lines, whose device is required.
 */
export function deviceOfNameless(config: SourceConfig, agentId: string): string | undefined {
  return 'format' in config ? deviceOfFormat(config.format, agentId) : undefined;
}

/** The same of a format; canonical when undefined. */
export function deviceOfFormat(format: FormatConfig | undefined, agentId: string): string | undefined {
  return format === undefined || namesDevices(format) ? undefined : agentId;
}

function namesDevices(format: FormatConfig): boolean {
  if (typeof format === 'string') return format === 'canonical';
  if (format.type === 'canonical') return true;
  // In a field map, or as a group of a pattern.
  return JSON.stringify(format).includes('device_id') && !('device_id' in format && format.device_id);
}

/** Whether one of these can wait while the spool is full. */
export function anyCanWait(configs: readonly SourceConfig[]): boolean {
  return configs.some(({ type }) => SOURCE_KINDS[type].canWait);
}

/** Whether the agent ends with these. */
export function endsAgent(configs: readonly SourceConfig[]): boolean {
  return configs.some(({ type }) => (SOURCE_KINDS[type] as SourceKind<never>).endsAgent ?? false);
}

/** Whether a change of it must wait for a restart. */
export function isFixed({ type }: SourceConfig): boolean {
  return (SOURCE_KINDS[type] as SourceKind<never>).isFixed ?? false;
}

export function createSource(config: SourceConfig, context: SourceContext): Source {
  // The type picks the kind whose schema gave this configuration, which the compiler cannot follow.
  const kind = SOURCE_KINDS[config.type] as unknown as SourceKind<never>;
  return kind.create(config as never, context);
}

/** A source's own part of what was kept. Agents of old kept a single tail's position bare. */
function savedOf(config: SourceConfig, position: unknown): unknown {
  if (typeof position !== 'object' || position === null) return undefined;
  const name = sourceName(config);
  if (!('sources' in position)) return config.type === 'tail' && name === 'tail' ? position : undefined;
  const { sources } = position;
  if (typeof sources !== 'object' || sources === null || !Object.hasOwn(sources, name)) return undefined;
  return (sources as Record<string, unknown>)[name];
}
