/**
 * The part of the configuration that says what to read: `source`, or a list `sources`. Each source's own settings
 * stand with its class; here they are put together.
 */
import { z } from 'zod';
import { SOURCE_KINDS } from './source/kinds.js';

type Kinds = typeof SOURCE_KINDS;
type Schema = Kinds[keyof Kinds]['schema'];

const schemas = Object.values(SOURCE_KINDS).map(({ schema }) => schema) as [Schema, ...Schema[]];

export const sourceSchema = z.discriminatedUnion('type', schemas);
export type SourceConfig = z.infer<typeof sourceSchema>;

const MAX_SOURCES = 64;

export const sourcesSchema = z.array(sourceSchema).min(1).max(MAX_SOURCES);

/** The name of a source, under which its position is kept. */
export function sourceName(config: SourceConfig): string {
  return config.name ?? config.type;
}

/** Exactly one of both, and different names; what is wrong goes to `context`. */
export function checkSources(
  { source, sources }: { source?: SourceConfig | undefined; sources?: SourceConfig[] | undefined },
  context: Pick<z.RefinementCtx, 'addIssue'>,
): void {
  const issue = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  if (source && sources) issue(['source'], 'give either source or sources, not both');
  if (!source && !sources) issue(['source'], 'is missing: say what to read, by source or by sources');
  const seen = new Set<string>();
  sources?.forEach((one, index) => {
    const name = sourceName(one);
    if (seen.has(name))
      issue(['sources', index, 'name'], `another source is called "${name}": give this one a name`);
    seen.add(name);
  });
}
