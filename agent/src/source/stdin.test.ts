/** Standard input as a source: whole lines, its end, and an end in mid-stream. */
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Counters } from '../counters.js';
import { silentLog, until } from '../test-support.js';
import { StdinSource } from './stdin.js';

const sourceOf = (open: () => Readable, counters = new Counters()) =>
  new StdinSource(open, silentLog, counters);

async function textOf(source: StdinSource, signal = new AbortController().signal): Promise<string> {
  let text = '';
  for await (const { bytes, emit } of source.chunks(signal)) {
    expect(emit).toBe(true);
    text += Buffer.from(bytes).toString();
  }
  return text;
}

describe('StdinSource', () => {
  it('gives whole lines, the last one without its line end too, and has ended then', async () => {
    const source = sourceOf(() => Readable.from([Buffer.from('a\nb'), Buffer.from('c\nlast')]));
    expect(source.phase).toBe('live');
    expect(await textOf(source)).toBe('a\nbc\nlast\n');
    expect(source.phase).toBe('ended');
  });

  it('stops at once when it is told to, though nothing comes', async () => {
    const stream = new PassThrough();
    const abort = new AbortController();
    const source = sourceOf(() => stream);
    const text = textOf(source, abort.signal);
    stream.write('a\n');
    await until('the line to be read', () => stream.readableLength === 0);
    abort.abort();
    expect(await text).toBe('a\n');
    expect(source.phase).toBe('live');
  });

  it('takes a fault of the stream as its end: told, counted, and what was read is given', async () => {
    const stream = new PassThrough();
    const counters = new Counters();
    const source = sourceOf(() => stream, counters);
    const text = textOf(source);
    stream.write('a\nb');
    await until('it to be read', () => stream.readableLength === 0);
    stream.destroy(new Error('input/output error'));
    expect(await text).toBe('a\nb\n');
    expect(source.phase).toBe('ended');
    expect(counters.get('stdin_errors')).toBe(1);
    stream.emit('error', new Error('another one'));
  });
});
