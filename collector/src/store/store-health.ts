/** What is known of the store's health: failed writes, damage, damaged stores that lie aside, and how full it is. */
import { setAsideStores } from './set-aside.js';
import type { EngineUsage } from './sqlite-engine.js';
import type { StoreLimits, StoreProblem, StoreState } from './store.js';

const HOUR_MS = 3_600_000;
/** A fault that goes on under another name is told again so often at most. */
const AGAIN_MS = 60_000;

export class StoreHealth {
  private failing: StoreProblem | null = null;
  private failedMs = Number.NEGATIVE_INFINITY;
  private toldMs = Number.NEGATIVE_INFINITY;
  private damage: StoreProblem | null = null;
  private aside: StoreProblem[] = [];
  private upkeep: StoreProblem | null = null;
  private cut: StoreProblem | null = null;
  private usage: EngineUsage = { bytes: 0, windowsSinceMs: null, cutByBytes: false, upkeepFault: null };

  constructor(
    private readonly path: string,
    private readonly limits: StoreLimits,
    private readonly now: () => number,
    /** Told of everything once. */
    private readonly onProblem: (message: string) => void,
  ) {}

  get state(): StoreState {
    const { bytes, windowsSinceMs } = this.usage;
    const all = [this.failing, this.damage, this.upkeep, ...this.aside, this.cut];
    const problems = all.filter((problem) => problem !== null);
    const failing = this.failing?.message ?? null;
    return { problems, failing, bytes, maxBytes: this.limits.maxBytes, windowsSinceMs };
  }

  opened(setAside: string | null, usage: EngineUsage): void {
    const stores = setAsideStores(this.path);
    this.aside = stores.map(({ path, sinceMs, bytes }, at) => {
      const isNew = setAside !== null && at === stores.length - 1;
      const size = `${Math.ceil(bytes / 1e6)} MB`;
      const message = isNew ? setAside : `a damaged store (${size}) lies aside as ${path}`;
      return {
        code: 'store_set_aside',
        sinceMs,
        message: `${message}. Delete it or move it away when it is not needed any more`,
      };
    });
    for (const { message } of this.aside) this.onProblem(message);
    this.used(usage);
  }

  failed(message: string): void {
    const isNew = this.failing?.message !== message && performance.now() - this.toldMs >= AGAIN_MS;
    if (this.failing === null || isNew) {
      this.onProblem(`nothing can be stored: ${message}`);
      this.toldMs = performance.now();
    }
    this.failedMs = this.now();
    this.failing = { code: 'store_failing', sinceMs: this.failing?.sinceMs ?? this.now(), message };
  }

  /** A small write may find room where the next commit of windows does not: alone it ends a failure only in time. */
  succeeded(withWindows: boolean): void {
    if (!withWindows && this.now() - this.failedMs < AGAIN_MS) return;
    if (this.failing) this.onProblem('the store takes what comes again');
    this.failing = null;
  }

  damaged(message: string): void {
    if (this.damage === null) this.onProblem(message);
    this.damage ??= { code: 'store_damaged', sinceMs: this.now(), message };
  }

  used(usage: EngineUsage): void {
    this.usage = usage;
    const { upkeepFault } = usage;
    this.upkeep = this.follow(this.upkeep, 'store_failing', upkeepFault);
    this.cut = this.follow(this.cut, 'history_cut', usage.cutByBytes ? this.cutSentence(usage) : null);
  }

  /** Logged when it begins; what it says may change with every commit. */
  private follow(
    before: StoreProblem | null,
    code: StoreProblem['code'],
    message: string | null,
  ): StoreProblem | null {
    if (message === null) return null;
    if (before === null) this.onProblem(message);
    return { code, sinceMs: before?.sinceMs ?? this.now(), message };
  }

  private cutSentence({ windowsSinceMs }: EngineUsage): string {
    const { windowsMs, maxBytes } = this.limits;
    const hours = (ms: number) => `${(ms / HOUR_MS).toPrecision(2)} h`;
    return (
      `windows of the last ${hours(this.now() - windowsSinceMs!)} are kept, not of the ${windowsMs / HOUR_MS} h that ` +
      `retention.windows_hours allows: retention.max_store_gb (${maxBytes / 1e9}) is full. Raise it to keep more`
    );
  }
}
