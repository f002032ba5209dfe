/** The last values of every line and its sparkline, from what the feed tells in turn. Pure and bounded. */
import { type FeedLine, type LineValues, SPARK_POINTS, SPARK_STEP_S } from '@lineheron/models';
import type { SparkPoint } from '../part/spark-path.js';

export interface LastValues {
  readonly latencyMs: number | null;
  readonly lossPct: number | null;
  /** Greatest latency of each ten seconds, oldest first; times in epoch seconds. */
  readonly spark: readonly SparkPoint[];
}

/** By the number of the line. */
export type ValuesByLine = ReadonlyMap<number, LastValues>;

export const NO_VALUES: LastValues = { latencyMs: null, lossPct: null, spark: [] };

/** `sparks` stand beside `lines` and end at `at`, epoch seconds. */
export function valuesOf(
  lines: readonly FeedLine[],
  sparks: readonly (readonly (number | null)[])[],
  at: number,
): ValuesByLine {
  return new Map(
    lines.map(([number, , , , , , , , latencyMs, lossPct], place) => {
      const points = sparks[place] ?? [];
      const spark = points.map((value, step) => ({
        time: at - (points.length - 1 - step) * SPARK_STEP_S,
        value,
      }));
      return [number, { latencyMs, lossPct, spark }];
    }),
  );
}

export function withValues(known: ValuesByLine, told: readonly LineValues[], at: number): ValuesByLine {
  if (told.length === 0) return known;
  const next = new Map(known);
  for (const [number, latencyMs, lossPct] of told) {
    const spark = withPoint(known.get(number)?.spark ?? [], at, latencyMs);
    next.set(number, { latencyMs, lossPct, spark });
  }
  return next;
}

export function withoutLines(known: ValuesByLine, gone: readonly number[]): ValuesByLine {
  if (gone.length === 0) return known;
  const next = new Map(known);
  for (const number of gone) next.delete(number);
  return next;
}

/** Within a step the greatest counts; a step or more without a value is a gap. */
function withPoint(spark: readonly SparkPoint[], time: number, value: number | null): readonly SparkPoint[] {
  const last = spark.at(-1);
  if (last && time - last.time < SPARK_STEP_S) {
    const greatest =
      last.value === null || value === null ? (value ?? last.value) : Math.max(last.value, value);
    return greatest === last.value ? spark : [...spark.slice(0, -1), { time: last.time, value: greatest }];
  }
  const isGap = last !== undefined && time - last.time > MAX_STEPS_APART * SPARK_STEP_S;
  const added = isGap
    ? [
        { time: time - SPARK_STEP_S, value: null },
        { time, value },
      ]
    : [{ time, value }];
  return [...spark, ...added].slice(-SPARK_POINTS);
}

/** Values of a large fleet come in turn, some steps apart. */
const MAX_STEPS_APART = 3;
