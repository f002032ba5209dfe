/**
 * What a model saw in training, agent by agent: the bins that drift is measured against. Kept in a small file beside
 * the model, tied to it by checksum. Bounded in agents; of one that is not in it no drift is known.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Scope } from '../detector.js';
import { binShares, decileEdges } from '../drift.js';
import { writeFileAtomic } from './atomic-file.js';

const MAX_AGENTS = 200;

const profileSchema = z.object({
  /** By feature, the model's own score last. */
  edges: z.array(z.array(z.number())),
  agents: z.record(
    z.string(),
    z.object({
      /** Independent rows behind the shares: windows overlap, so that only whole window lengths count. */
      rows: z.number(),
      shares: z.array(z.array(z.number())),
    }),
  ),
});
export type TrainingProfile = z.infer<typeof profileSchema>;

const fileSchema = z.object({ v: z.literal(1), sha256: z.string(), profile: profileSchema });

/** `rows` row by row, each row's score and agent beside it; `independent` is the share of rows that count as such. */
export function trainingProfile(
  rows: Float64Array,
  columns: number,
  scores: ArrayLike<number>,
  agents: readonly string[],
  independent: number,
): TrainingProfile {
  const columnOf = (column: number, places: readonly number[]) =>
    Float64Array.from(places, (row) => (column < columns ? rows[row * columns + column]! : scores[row]!));
  const all = agents.map((_, row) => row);
  const edges = Array.from({ length: columns + 1 }, (_, column) => decileEdges(columnOf(column, all)));
  const places = new Map<string, number[]>();
  agents.forEach((agent, row) => {
    const own = places.get(agent) ?? [];
    own.push(row);
    places.set(agent, own);
  });
  const known = [...places].slice(0, MAX_AGENTS).map(([agent, own]) => {
    const shares = edges.map((edge, column) => binShares(edge, columnOf(column, own)));
    return [agent, { rows: own.length * independent, shares }] as const;
  });
  return { edges, agents: Object.fromEntries(known) };
}

export class ProfileFiles {
  constructor(private readonly folder: string) {}

  async save(scope: Scope, fingerprint: string, sha256: string, profile: TrainingProfile): Promise<void> {
    await writeFileAtomic(this.path(scope, fingerprint), JSON.stringify({ v: 1, sha256, profile }));
  }

  /** Null when there is none for this very model, or it is unreadable: then no drift is known. */
  async load(scope: Scope, fingerprint: string, sha256: string): Promise<TrainingProfile | null> {
    try {
      const file = fileSchema.parse(JSON.parse(await readFile(this.path(scope, fingerprint), 'utf8')));
      return file.sha256 === sha256 ? file.profile : null;
    } catch {
      return null;
    }
  }

  private path(scope: Scope, fingerprint: string): string {
    return join(this.folder, `profile.${scope}.${fingerprint}.json`);
  }
}
