/**
 * Whether another agent uses our id: what the broker keeps as our `info` is ours once it has taken it, so another boot
 * there on a later connection is somebody else's. An earlier life of our own is not, nor a message that was lost.
 */
export class Rivals {
  /** The broker has taken our info, in this connection or before. */
  private isTaken = false;
  private wasTaken = false;
  private foreign = false;

  constructor(
    private readonly boot: string,
    private readonly onVerdict: (rival: boolean) => void,
  ) {}

  /** A new connection: what the broker keeps comes next. */
  connected(): void {
    this.wasTaken = this.isTaken;
    this.foreign = false;
  }

  /** An info with our id. `retained`: the broker kept it from before we subscribed. */
  hear(boot: string, retained: boolean): void {
    if (retained) {
      if (boot === this.boot || !this.wasTaken) return;
      this.foreign = true;
      this.onVerdict(true);
    } else if (boot === this.boot) {
      this.isTaken = true;
      if (!this.foreign) this.onVerdict(false);
    }
  }
}
