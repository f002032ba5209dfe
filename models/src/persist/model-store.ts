/**
 * Trained models on disk: `<kind>.<scope>.<fingerprint>.<release>.json` (manifest) beside `<sha256>.bin` (payload).
 * The payload is durable before its manifest appears, every load verifies the checksum, and the last three releases
 * are kept, so that a damaged newest one falls back to the one before. One writer a folder.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scope, TrainedModel } from '../detector.js';
import { writeFileAtomic } from './atomic-file.js';
import { type Manifest, manifestSchema, type NewModel } from './manifest.js';

export interface StoredModel {
  manifest: Manifest;
  payload: Buffer;
}

const KEPT_RELEASES = 3;
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
const MANIFEST_NAME = /^(isolation_forest|autoencoder)\.(device|gateway)\.([0-9a-f]{16})\.(\d{1,12})\.json$/;

interface ManifestFile {
  name: string;
  series: string;
  release: number;
}

export class ModelStore {
  /** `onDamage` hears of every file that was passed over, with the reason. */
  constructor(
    private readonly folder: string,
    private readonly onDamage: (message: string) => void = () => {},
  ) {}

  /** Keeps a model under the next release and returns its manifest. */
  async save(model: NewModel, payload: Uint8Array): Promise<Manifest> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const series = seriesName(model.kind, model.scope, model.fingerprint);
    const earlier = await this.manifests(series);
    const manifest = manifestSchema.parse({
      ...model,
      v: 2,
      release: (earlier[0]?.release ?? 0) + 1,
      sha256: sha256(payload),
      size_bytes: payload.byteLength,
    });
    await writeFileAtomic(this.payloadPath(manifest.sha256), payload);
    const name = `${series}.${manifest.release}.json`;
    await writeFileAtomic(join(this.folder, name), `${JSON.stringify(manifest, null, 2)}\n`);
    await this.prune(series);
    return manifest;
  }

  /** The newest release that verifies, or null when there is none. */
  async load(kind: TrainedModel, scope: Scope, fingerprint: string): Promise<StoredModel | null> {
    for (const { name } of await this.manifests(seriesName(kind, scope, fingerprint))) {
      try {
        return await this.read(name);
      } catch (error) {
        this.onDamage(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return null;
  }

  /** The newest good model of every kind, scope and fingerprint in the folder. */
  async loadAll(): Promise<StoredModel[]> {
    const series = [...new Set((await this.manifests()).map((file) => file.series))];
    const models: StoredModel[] = [];
    for (const name of series) {
      const [kind, scope, fingerprint] = name.split('.') as [TrainedModel, Scope, string];
      const model = await this.load(kind, scope, fingerprint);
      if (model) models.push(model);
    }
    return models;
  }

  private async read(name: string): Promise<StoredModel> {
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(this.folder, name), 'utf8')));
    const path = this.payloadPath(manifest.sha256);
    const { size } = await stat(path);
    if (size !== manifest.size_bytes || size > MAX_PAYLOAD_BYTES) {
      throw new Error(`payload has ${size} bytes, its manifest says ${manifest.size_bytes}`);
    }
    const payload = await readFile(path);
    if (sha256(payload) !== manifest.sha256) throw new Error('payload does not match its SHA-256');
    return { manifest, payload };
  }

  /** Manifest files of one series, or of all, newest release first. */
  private async manifests(series?: string): Promise<ManifestFile[]> {
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names
      .flatMap((name) => {
        const match = MANIFEST_NAME.exec(name);
        if (!match) return [];
        return [{ name, series: match.slice(1, 4).join('.'), release: Number(match[4]) }];
      })
      .filter((file) => series === undefined || file.series === series)
      .sort((a, b) => b.release - a.release);
  }

  /** Drops all but the newest releases of a series, then payloads that no manifest names. */
  private async prune(series: string): Promise<void> {
    for (const { name } of (await this.manifests(series)).slice(KEPT_RELEASES)) {
      await rm(join(this.folder, name), { force: true });
    }
    const named = new Set<string>();
    for (const { name } of await this.manifests()) {
      const text = await readFile(join(this.folder, name), 'utf8');
      for (const [hash] of text.matchAll(/\b[0-9a-f]{64}\b/g)) named.add(`${hash}.bin`);
    }
    for (const name of await readdir(this.folder)) {
      if (/^[0-9a-f]{64}\.bin$/.test(name) && !named.has(name))
        await rm(join(this.folder, name), { force: true });
    }
  }

  private payloadPath(hash: string): string {
    return join(this.folder, `${hash}.bin`);
  }
}

function seriesName(kind: TrainedModel, scope: Scope, fingerprint: string): string {
  return `${kind}.${scope}.${fingerprint}`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
