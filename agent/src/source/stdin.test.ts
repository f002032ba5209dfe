/** Standard input as a source: whole lines, its end, and an end in mid-stream. */
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { until } from '../test-support.js';
import { StdinSource } from './stdin.js';

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
    const source = new StdinSource(() => Readable.from([Buffer.from('a\nb'), Buffer.from('c\nlast')]));
    expect(source.phase).toBe('live');
    expect(await textOf(source)).toBe('a\nbc\nlast\n');
    expect(source.phase).toBe('ended');
  });

  it('stops at once when it is told to, though nothing comes', async () => {
    const stream = new PassThrough();
    const abort = new AbortController();
    const source = new StdinSource(() => stream);
    const text = textOf(source, abort.signal);
    stream.write('a\n');
    await until('the line to be read', () => stream.readableLength === 0);
    abort.abort();
    expect(await text).toBe('a\n');
    expect(source.phase).toBe('live');
  });

  it('passes a fault of the stream on', async () => {
    const stream = new PassThrough();
    const text = textOf(new StdinSource(() => stream));
    stream.destroy(new Error('input/output error'));
    await expect(text).rejects.toThrow('input/output error');
  });
});
