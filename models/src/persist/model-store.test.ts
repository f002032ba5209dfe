import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewModel } from './manifest.js';
import { ModelStore } from './model-store.js';

const fingerprint = '0123456789abcdef';
const model: NewModel = {
  kind: 'isolation_forest',
  scope: 'device',
  fingerprint,
  trained_at: '2026-01-02T03:04:05.000Z',
  training_from: null,
  training_to: null,
  rows: 100,
  seed: 1,
  threshold: 0.6,
  training_ms: 3,
  agents: ['gw-1'],
  metrics: { trees: 100 },
};

let folder: string;
let damage: string[];
let store: ModelStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-models-'));
  damage = [];
  store = new ModelStore(folder, (message) => damage.push(message));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const load = () => store.load('isolation_forest', 'device', fingerprint);

/** Flips one bit in the payload of a release. */
async function damagePayload(sha256: string): Promise<void> {
  const path = join(folder, `${sha256}.bin`);
  const bytes = await readFile(path);
  bytes[0]! ^= 1;
  await writeFile(path, bytes);
}

describe('ModelStore', () => {
  it('gives back the payload and manifest that it kept', async () => {
    const manifest = await store.save(model, Buffer.from('payload'));
    expect(manifest.release).toBe(1);
    expect(await load()).toEqual({ manifest, payload: Buffer.from('payload') });
    expect(await store.loadAll()).toHaveLength(1);
  });

  it('has nothing where nothing was kept', async () => {
    expect(await load()).toBeNull();
    expect(await new ModelStore(join(folder, 'absent')).loadAll()).toEqual([]);
  });

  it('never uses a release number twice and keeps the last three', async () => {
    for (let round = 1; round <= 5; round++) {
      expect((await store.save(model, Buffer.from(`payload ${round}`))).release).toBe(round);
    }
    const names = await readdir(folder);
    expect(names.filter((name) => name.endsWith('.json'))).toHaveLength(3);
    expect(names.filter((name) => name.endsWith('.bin'))).toHaveLength(3);
    expect((await load())?.manifest.release).toBe(5);
  });

  it('falls back to the release before when the newest payload is damaged, and says so', async () => {
    await store.save(model, Buffer.from('good'));
    const newest = await store.save(model, Buffer.from('damaged soon'));
    await damagePayload(newest.sha256);
    expect((await load())?.payload.toString()).toBe('good');
    expect(damage).toEqual([expect.stringContaining('SHA-256')]);
  });

  it('passes over a torn manifest and gives the next release a higher number', async () => {
    const first = await store.save(model, Buffer.from('good'));
    await writeFile(join(folder, `isolation_forest.device.${fingerprint}.2.json`), '{"v":1,');
    expect((await load())?.manifest).toEqual(first);
    expect((await store.save(model, Buffer.from('better'))).release).toBe(3);
  });

  it('keeps models of another fingerprint or scope apart', async () => {
    await store.save(model, Buffer.from('a'));
    await store.save({ ...model, scope: 'gateway' }, Buffer.from('b'));
    await store.save({ ...model, fingerprint: 'f'.repeat(16) }, Buffer.from('c'));
    expect((await store.loadAll()).map(({ payload }) => payload.toString()).sort()).toEqual(['a', 'b', 'c']);
  });

  it('leaves nothing half-written behind', async () => {
    await store.save(model, Buffer.from('payload'));
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
