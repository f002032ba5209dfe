/**
 * The clients of the feed that get the same frames: they follow the same topics. Frames are numbered for all of them
 * together. Who joins begins with a snapshot of the present; from then on nothing refers to what it has not had.
 */
import type { FeedTopic } from '@lineheron/models';
import type { Connection } from './connection.js';
import { SharedMessage } from './shared-message.js';

/** As far back as deflate looks. */
const WINDOW_BYTES = 32 * 1024;
const NOTHING = Buffer.alloc(0);

export class Audience {
  readonly members = new Set<Connection>();
  /** Number of the last frame. */
  n = 0;
  /** What all members have had since the last one joined, as far as a message may refer to it. */
  private had = NOTHING;

  /** `all`: they watch all lines. */
  constructor(
    readonly topics: readonly FeedTopic[],
    readonly all: boolean,
    public sentMs: number,
  ) {}

  static key(topics: readonly FeedTopic[], all: boolean): string {
    return `${topics.join()} ${all}`;
  }

  /** A message to all members. */
  message(text: string, nowMs: number): SharedMessage {
    const message = new SharedMessage(text, this.had);
    this.had = Buffer.concat([this.had, message.payload]).subarray(-WINDOW_BYTES);
    this.sentMs = nowMs;
    return message;
  }

  join(connection: Connection): void {
    this.members.add(connection);
    this.had = NOTHING;
  }
}
