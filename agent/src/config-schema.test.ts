/** The published JSON Schema is the one of the code, and the suggestions know every key. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { schemaText } from './commands/config.js';
import { configJsonSchema, nodeAt, plainKeys, schemaKeys } from './config-keys.js';

const PUBLISHED = new URL('../lineheron-agent.schema.json', import.meta.url);
const UPDATE = process.env.LINEHERON_UPDATE_SCHEMA === '1';

describe('lineheron-agent.schema.json', () => {
  it('is what the code checks by (LINEHERON_UPDATE_SCHEMA=1 writes it anew)', async () => {
    if (UPDATE) await writeFile(PUBLISHED, schemaText());
    expect(await readFile(PUBLISHED, 'utf8')).toBe(schemaText());
  });

  it('is named in the first lines of the example, for editors', async () => {
    const text = await readFile(new URL('../lineheron-agent.example.yaml', import.meta.url), 'utf8');
    expect(text.split('\n').slice(0, 3)).toContain(
      '# yaml-language-server: $schema=./lineheron-agent.schema.json',
    );
  });

  it('refuses unknown keys and asks for the ones that must be there', () => {
    const schema = configJsonSchema() as { additionalProperties: unknown; required: string[] };
    expect(schema.additionalProperties).toBe(false);
    expect(schema.required).toEqual(expect.arrayContaining(['agent_id', 'data_dir']));
    expect(schema.required).not.toContain('window_size_seconds');
  });
});

describe('the keys as data', () => {
  const root = schemaKeys();

  it('lists what the environment can set, without lists and sources', () => {
    const keys = plainKeys(root).map((path) => path.join('.'));
    expect(keys).toEqual(
      expect.arrayContaining(['agent_id', 'mqtt.password_file', 'metrics.port', 'spool.max_bytes']),
    );
    expect(keys.filter((key) => /^(source|channels|labels)/.test(key))).toEqual([]);
  });

  it('finds the shape of a source by its type, and every type when there is none', () => {
    const raw = { source: { type: 'tail' } };
    expect(Object.keys(nodeAt(root, ['source'], raw)?.properties ?? {})).toContain('paths');
    expect(Object.keys(nodeAt(root, ['source'], raw)?.properties ?? {})).not.toContain('interval_seconds');
    expect(nodeAt(root, ['source', 'type'], {})?.enum).toEqual(
      expect.arrayContaining(['tail', 'host', 'generate']),
    );
    expect(nodeAt(root, ['no', 'such', 'key'], raw)).toBeUndefined();
  });
});
