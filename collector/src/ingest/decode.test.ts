import { MAX_PACKET_BYTES, topics } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { BOOT, makeBatch, makeInfo, makeWindow } from '../testing/messages.js';
import { decodeMessage } from './decode.js';

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const score = (value: unknown) => decodeMessage(topics.score('gw-1'), bytes(value));

describe('decodeMessage', () => {
  it('reads a score batch, an info and a status', () => {
    expect(score(makeBatch())).toMatchObject({ kind: 'score', agent: 'gw-1' });
    expect(decodeMessage(topics.info('gw-1'), bytes(makeInfo()))).toMatchObject({ kind: 'info' });
    expect(decodeMessage(topics.status('gw-1'), bytes('offline'))).toMatchObject({
      kind: 'status',
      online: false,
    });
  });

  it('refuses a broken batch that says which one it is, so that the agent can set it aside', () => {
    expect(score({ ...makeBatch({ sequence: 7 }), windows: 'none' })).toEqual({
      kind: 'refused',
      agent: 'gw-1',
      reason: 'invalid_schema',
      refusal: { boot: BOOT, sequence: 7, code: 'invalid_schema' },
    });
  });

  it.each([
    ['text that is no JSON', '{', 'invalid_json'],
    ['JSON that is no object', '[]', 'invalid_schema'],
    ['null', 'null', 'invalid_schema'],
  ])('only counts %s', (_name, payload, reason) => {
    expect(score(payload)).toMatchObject({ kind: 'refused', reason, refusal: null });
  });

  it('refuses a batch that speaks for another agent, or of its episodes', () => {
    expect(score(makeBatch({ agent: 'gw-2' }))).toMatchObject({ reason: 'wrong_agent' });
    const windows = [makeWindow({ episode: `gw-2/${BOOT}/1/0` })];
    expect(score(makeBatch({ windows }))).toMatchObject({ reason: 'wrong_agent' });
  });

  it('refuses a window that points at a record that is not there', () => {
    expect(score(makeBatch({ windows: [makeWindow({ record: 0 })] }))).toMatchObject({
      reason: 'invalid_schema',
    });
  });

  it.each([
    ['a feature that 32 bits cannot hold', { windows: [makeWindow({ features: [1e39] })] }],
    ['a window of a time before 1970', { windows: [makeWindow({ end: '1969-12-31T00:00:00.000Z' })] }],
  ])('refuses the batch of %s, naming it', (_name, changes) => {
    expect(score(makeBatch({ sequence: 4, ...changes }))).toMatchObject({
      reason: 'invalid_schema',
      refusal: { boot: BOOT, sequence: 4 },
    });
  });

  it('takes a thinned batch, and refuses one whose indexes fall or that stands for what comes after it', () => {
    const windows = [makeWindow({ index: 3 }), makeWindow({ index: 7 })];
    expect(score(makeBatch({ sequence: 9, first: 4, windows }))).toMatchObject({ kind: 'score' });
    expect(score(makeBatch({ windows: windows.toReversed() }))).toMatchObject({ reason: 'invalid_schema' });
    expect(score(makeBatch({ sequence: 3, first: 4 }))).toMatchObject({ reason: 'invalid_schema' });
  });

  it('refuses what is too large, what is binary and topics that are not ours', () => {
    expect(score('x'.repeat(MAX_PACKET_BYTES + 1))).toMatchObject({ reason: 'too_large' });
    expect(decodeMessage(topics.info('gw-1'), Buffer.from([0xff, 0xfe, 0x00]))).toMatchObject({
      reason: 'invalid_json',
    });
    expect(decodeMessage('other/v1/gw-1/score', bytes(makeBatch()))).toMatchObject({
      reason: 'unknown_topic',
    });
    expect(decodeMessage(topics.status('gw-1'), bytes('asleep'))).toMatchObject({ reason: 'invalid_schema' });
  });
});
