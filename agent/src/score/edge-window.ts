/**
 * A window on its way through the pipeline: what the engine said of it, and what episodes add. Most windows are quiet and
 * nobody but a broker needs them in wire form, so that is made when it is first asked for.
 */
import type { NormalIf, ScoredWindow } from '@lineheron/models';
import type { WindowResult } from '@lineheron/native';
import { wireWindow } from './wire.js';

export class EdgeWindow {
  /** Id of the episode that it belongs to. Set before the wire form is asked for, as `normalIf` is. */
  episode: string | null = null;
  /** What would have made it normal; undefined unless it speaks for its episode. */
  normalIf: NormalIf[] | undefined;
  private made: ScoredWindow | null = null;

  /** `record`: index of the record in its batch that ended it. */
  constructor(
    readonly result: WindowResult,
    private readonly record: number | undefined,
  ) {}

  get wire(): ScoredWindow {
    this.made ??= wireWindow(this.result, this.record, this.episode, this.normalIf);
    return this.made;
  }
}
