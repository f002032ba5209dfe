/** That no refusal of the engine is without words. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mainRefusal, REFUSAL_REASONS, refusalReason, refusalWords, valueCode } from './refusal-reasons.js';

const ENGINE = fileURLToPath(new URL('../../native/src/parse/mod.rs', import.meta.url));

describe('the reasons of refusals', () => {
  it('has a sentence and a remedy for every code of the engine, and for none that it does not know', () => {
    const codes = [...readFileSync(ENGINE, 'utf8').matchAll(/\(Refusal::\w+, "(\w+)"\)/g)].map(
      ([, code]) => code,
    );
    expect(codes.length).toBeGreaterThan(15);
    expect(Object.keys(REFUSAL_REASONS).sort()).toEqual([...codes, 'too_long'].sort());
    for (const { reason, remedy } of Object.values(REFUSAL_REASONS)) {
      expect(reason).toMatch(/^[a-z].{10,}[^.]$/);
      expect(remedy).toMatch(/^[a-z].{10,}[^.]$/);
      // They travel in the agent's info.
      expect(reason.length).toBeLessThanOrEqual(256);
      expect(remedy.length).toBeLessThanOrEqual(512);
    }
  });

  it('has words for a code of another version, and for names that every object has', () => {
    expect(refusalReason('too_odd').reason).toBe('the engine refuses it as too odd');
    expect(refusalReason('constructor').reason).toBe('the engine refuses it as constructor');
  });

  it('says of a refused value that the rest of its line counts, and what to do where it stands for nothing', () => {
    const { reason, remedy, valueOnly } = refusalReason(valueCode('negative'));
    expect(reason).toBe('a value of it is left out: a measured value is below zero that cannot be');
    expect(remedy).toContain('missing: [-1]');
    expect(valueOnly).toBe(true);
    expect(refusalReason('negative').valueOnly).toBeUndefined();
  });

  it('puts the most common first', () => {
    const counts = { invalid_json: 1, missing_device: 6, negative: 0 };
    expect(mainRefusal(counts)).toBe('missing_device');
    expect(refusalWords(counts)).toBe(
      '6 because the line names no device (missing_device); 1 because the line is not JSON (invalid_json)',
    );
    expect(mainRefusal({})).toBeNull();
  });
});
