/** The highest score over time in at most 512 equal steps: when time goes on past the last, two steps become one. */

const STEPS = 512;
const FIRST_STEP_MS = 1_000;

export class Series {
  private startMs: number | null = null;
  private stepMs = FIRST_STEP_MS;
  private readonly highest = new Float32Array(STEPS).fill(Number.NaN);

  add(timeMs: number, score: number): void {
    this.startMs ??= timeMs;
    // Hardly any window comes before the first; those count with it.
    let step = Math.max(0, Math.floor((timeMs - this.startMs) / this.stepMs));
    while (step >= STEPS) {
      this.halve();
      step = Math.floor((timeMs - this.startMs) / this.stepMs);
    }
    const before = this.highest[step]!;
    if (!(before >= score)) this.highest[step] = score;
  }

  /** Times (the middle of a step) and scores, where something was scored. */
  points(): { timeMs: number; score: number }[] {
    const points: { timeMs: number; score: number }[] = [];
    this.highest.forEach((score, step) => {
      if (!Number.isNaN(score))
        points.push({ timeMs: (this.startMs ?? 0) + (step + 0.5) * this.stepMs, score });
    });
    return points;
  }

  private halve(): void {
    for (let step = 0; step < STEPS; step++) {
      const [a, b] =
        step < STEPS / 2 ? [this.highest[2 * step]!, this.highest[2 * step + 1]!] : [Number.NaN, Number.NaN];
      this.highest[step] = Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b);
    }
    this.stepMs *= 2;
  }
}
