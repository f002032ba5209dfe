/**
 * Another list of sources while the agent runs. What is the same goes on untouched; what has changed ends, and begins
 * again under its name where it stood, without reading anything twice; what is gone ends, and its position with it.
 */
import { type SourceConfig, sourceName } from '../config-source.js';
import type { Beginning, Feed, Feeds } from './feeds.js';

export interface FeedChanger {
  /** Numbers a source's format. Throws when the engine refuses it: then nothing has changed. */
  addFormat(config: SourceConfig): number;
  removeFormat(format: number): void;
  make(config: SourceConfig, format: number, beginning: Beginning): Feed;
  begin(feed: Feed): void;
  /** Resolves when it has ended and all that it gave is taken. */
  end(feed: Feed): Promise<void>;
}

const sameSource = (a: SourceConfig | null, b: SourceConfig) => JSON.stringify(a) === JSON.stringify(b);

/** Brings `feeds` to the list of `configs`. */
export async function changeFeeds(
  feeds: Feeds,
  configs: readonly SourceConfig[],
  changer: FeedChanger,
): Promise<void> {
  const before = new Map(feeds.list.map((feed) => [feed.options.name, feed]));
  const kept = (config: SourceConfig) => {
    const feed = before.get(sourceName(config));
    return feed && sameSource(feed.options.config, config) ? feed : null;
  };
  const fresh = configs.filter((config) => !kept(config));
  const formats = addFormats(fresh, changer);
  const staying = new Set(configs.map(kept));
  const leaving = feeds.list.filter((feed) => !staying.has(feed));
  await Promise.all(leaving.map((feed) => changer.end(feed)));
  for (const { options } of leaving) changer.removeFormat(options.format);
  feeds.list = configs.map((config) => {
    const format = formats.get(config);
    if (format === undefined) return kept(config)!;
    const old = before.get(sourceName(config));
    const position = old?.options.type === config.type ? old.position : undefined;
    return changer.make(config, format, { position, refills: false });
  });
  for (const feed of feeds.list) if (!staying.has(feed)) changer.begin(feed);
}

function addFormats(configs: readonly SourceConfig[], changer: FeedChanger): Map<SourceConfig, number> {
  const formats = new Map<SourceConfig, number>();
  try {
    for (const config of configs) formats.set(config, changer.addFormat(config));
    return formats;
  } catch (error) {
    for (const format of formats.values()) changer.removeFormat(format);
    throw error;
  }
}
