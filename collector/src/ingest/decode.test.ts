import { MAX_PACKET_BYTES, topics } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { at, BOOT, makeBatch, makeInfo, makeWindow } from '../testing/messages.js';
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

  it.each([
    ['counters without end', { counters: Object.fromEntries(named(257, () => 1)) }],
    ['a counter whose name is a text', { counters: { 'a b': 1 } }],
    ['a counter that no program counts to', { counters: { lines: 1e300 } }],
    ['labels without end', { labels: Object.fromEntries(named(33, () => 'x')) }],
    ['a label of several lines', { labels: { site: 'a\nb' } }],
  ])('refuses an info with %s', (_name, changes) => {
    const sent = decodeMessage(topics.info('gw-1'), bytes(makeInfo(changes)));
    expect(sent).toMatchObject({ kind: 'refused', reason: 'invalid_schema' });
  });

  it('takes an info with as many counters and labels as are allowed', () => {
    const changes = {
      counters: Object.fromEntries(named(256, (at) => at)),
      labels: Object.fromEntries(named(32, () => 'Hafen, Halle 3')),
    };
    expect(decodeMessage(topics.info('gw-1'), bytes(makeInfo(changes)))).toMatchObject({ kind: 'info' });
  });

  it.each([
    ['info', 200_000],
    ['status', 65],
    ['desired', 5000],
  ] as const)('parses no %s of %i bytes', (kind, size) => {
    const topic = kind === 'desired' ? topics.desired('gw-1') : topics[kind]('gw-1');
    expect(decodeMessage(topic, Buffer.alloc(size, 0x20))).toMatchObject({ reason: 'too_large' });
  });

  it('refuses records with more channels than can be declared, or values that no engine passes on', () => {
    const record = { timestamp: at(0), device_id: 'modem-1', suspect: false };
    for (const changes of [
      { channels: Object.fromEntries(named(65, () => 1)) },
      { channels: { snr: 1e13 } },
      { latency_ms: 1e300 },
    ]) {
      expect(score(makeBatch({ records: [{ ...record, ...changes }] }))).toMatchObject({
        reason: 'invalid_schema',
      });
    }
  });
});

function named<T>(count: number, value: (at: number) => T): Array<[string, T]> {
  return Array.from({ length: count }, (_, at) => [`name_${at}`, value(at)]);
}
