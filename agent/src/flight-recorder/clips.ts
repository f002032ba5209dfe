/**
 * What was frozen: the lines around an alert, one file each, written aside and renamed, so that a kill -9 in its
 * midst leaves the clip as it was before or as it is after. Bounded in number and in bytes; the oldest go.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeFileAtomic } from '@lineheron/models/persist';
import { z } from 'zod';
import { type Block, scanBlocks } from './block.js';

export const MAX_CLIPS = 32;
const NAME = /^\d{15}\.clip$/;

const headSchema = z.object({
  v: z.literal(1),
  /** Alerts that it is of: those that opened while it was being taken share it. */
  alerts: z.array(z.string()).min(1),
  /** When the first alert opened, epoch ms. */
  atMs: z.int().min(0),
  /** Whether the time after the alert is in it. */
  complete: z.boolean(),
});
export type Clip = Omit<z.infer<typeof headSchema>, 'v'>;

export class Clips {
  /** Oldest first. */
  private clips: { clip: Clip; bytes: number }[] = [];

  constructor(
    private readonly folder: string,
    private readonly maxBytes: number,
  ) {}

  /** Takes up what an earlier run left. Half-written and damaged files go. */
  async start(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    for (const name of (await readdir(this.folder)).sort()) {
      const path = join(this.folder, name);
      const bytes = NAME.test(name) ? await readFile(path) : Buffer.alloc(0);
      const clip = readHead(bytes);
      if (clip && this.path(clip) === path) this.clips.push({ clip, bytes: bytes.length });
      else await rm(path, { force: true });
    }
    await this.trim();
  }

  get list(): Clip[] {
    return this.clips.map(({ clip }) => clip);
  }

  find(alert: string): Clip | null {
    return this.list.findLast(({ alerts }) => alerts.includes(alert)) ?? null;
  }

  /** Writes a clip, in the place of one of the same moment if there is one. Of too many blocks the farthest go. */
  async write(clip: Clip, blocks: readonly Block[]): Promise<void> {
    const head = writeHead(clip);
    const kept = nearest(blocks, clip.atMs, this.maxBytes / 4);
    const bytes = Buffer.concat([head, ...kept.map((block) => block.bytes)]);
    await writeFileAtomic(this.path(clip), bytes);
    this.clips = this.clips.filter((other) => other.clip.atMs !== clip.atMs);
    this.clips.push({ clip, bytes: bytes.length });
    this.clips.sort((a, b) => a.clip.atMs - b.clip.atMs);
    await this.trim();
  }

  async read(clip: Clip): Promise<Block[]> {
    const bytes = await readFile(this.path(clip));
    return scanBlocks(bytes, bytes.indexOf(10) + 1);
  }

  private async trim(): Promise<void> {
    const total = () => this.clips.reduce((sum, { bytes }) => sum + bytes, 0);
    while (this.clips.length > MAX_CLIPS || (this.clips.length > 1 && total() > this.maxBytes)) {
      await rm(this.path(this.clips.shift()!.clip), { force: true });
    }
  }

  private path({ atMs }: Clip): string {
    return join(this.folder, `${String(atMs).padStart(15, '0')}.clip`);
  }
}

/** As many blocks as fit, those nearest to a moment first; in the order of time. */
function nearest(blocks: readonly Block[], atMs: number, maxBytes: number): Block[] {
  const distance = ({ fromMs, toMs }: Block) => Math.max(0, fromMs - atMs, atMs - toMs);
  let left = maxBytes;
  return [...blocks]
    .sort((a, b) => distance(a) - distance(b))
    .filter(({ bytes }) => {
      left -= bytes.length;
      return left >= 0;
    })
    .sort((a, b) => a.fromMs - b.fromMs);
}

/** One line of JSON, its checksum last. */
function writeHead(clip: Clip): Buffer {
  const head = { v: 1, ...clip };
  return Buffer.from(`${JSON.stringify({ ...head, crc: crc32(JSON.stringify(head)) })}\n`);
}

function readHead(bytes: Buffer): Clip | null {
  try {
    const { crc, ...head } = JSON.parse(bytes.toString('utf8', 0, bytes.indexOf(10)));
    const { v: _, ...clip } = headSchema.parse(head);
    return crc === crc32(JSON.stringify(head)) ? clip : null;
  } catch {
    return null;
  }
}
