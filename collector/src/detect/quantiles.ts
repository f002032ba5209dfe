/**
 * What was usual in training, by feature: median, 5th and 95th percentile, for the reasons of alerts. Kept in a small
 * file beside the models, tied to its model by checksum; without it reasons only say what was observed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scope } from '@lineheron/models';
import { writeFileAtomic } from '@lineheron/models/persist';
import { z } from 'zod';

const quantileSchema = z.object({
  median: z.number().nullable(),
  p5: z.number().nullable(),
  p95: z.number().nullable(),
});
const fileSchema = z.object({
  v: z.literal(1),
  /** Checksum of the model's payload. */
  sha256: z.string(),
  features: z.array(quantileSchema),
});

export type Quantile = z.infer<typeof quantileSchema>;
export type Quantiles = readonly Quantile[];

/** Of each column; columns that were never known give nulls. */
export function columnQuantiles(rows: Float32Array | Float64Array, columns: number): Quantiles {
  return Array.from({ length: columns }, (_, column) => {
    const known: number[] = [];
    for (let at = column; at < rows.length; at += columns)
      if (Number.isFinite(rows[at])) known.push(rows[at]!);
    const sorted = Float64Array.from(known).sort();
    return { median: quantile(sorted, 0.5), p5: quantile(sorted, 0.05), p95: quantile(sorted, 0.95) };
  });
}

/** Linear interpolation between order statistics, as in NumPy. */
function quantile(sorted: Float64Array, share: number): number | null {
  if (sorted.length === 0) return null;
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}

export class QuantileFiles {
  constructor(private readonly folder: string) {}

  async save(scope: Scope, fingerprint: string, sha256: string, features: Quantiles): Promise<void> {
    await writeFileAtomic(this.path(scope, fingerprint), JSON.stringify({ v: 1, sha256, features }));
  }

  /** Null when there is none for this very model, or it is unreadable: it only adorns. */
  async load(scope: Scope, fingerprint: string, sha256: string): Promise<Quantiles | null> {
    try {
      const file = fileSchema.parse(JSON.parse(await readFile(this.path(scope, fingerprint), 'utf8')));
      return file.sha256 === sha256 ? file.features : null;
    } catch {
      return null;
    }
  }

  private path(scope: Scope, fingerprint: string): string {
    return join(this.folder, `quantiles.${scope}.${fingerprint}.json`);
  }
}
