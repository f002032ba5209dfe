/** Messages out of TCP streams in both framings, however the stream is cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramingError, SyslogFraming } from './syslog-framing.js';

const MAX = 100;

/** Everything that comes out when `stream` arrives in pieces of these sizes. */
function messages(stream: string, sizes: readonly number[] = []): { out: string[]; tooLong: number } {
  const framing = new SyslogFraming(MAX);
  const out: string[] = [];
  let rest = Buffer.from(stream);
  for (const size of [...sizes, rest.length]) {
    for (const message of framing.push(rest.subarray(0, size))) out.push(message.toString());
    rest = rest.subarray(size);
  }
  const last = framing.end();
  if (last) out.push(last.toString());
  return { out, tooLong: framing.tooLong };
}

const counted = (list: readonly string[]) => list.map((one) => `${Buffer.byteLength(one)} ${one}`).join('');
const text = fc.string({ maxLength: MAX - 10 }).map((one) => `<13>${one.replaceAll('\n', ' ')}`);
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 30 });

describe('SyslogFraming', () => {
  it('reads octet-counted messages, line ends in them included', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), sizes, (list, cuts) => {
        const withEnds = list.map((one) => `${one}\nx`.slice(0, MAX)).filter((one) => one.length <= MAX);
        const short = withEnds.filter((one) => Buffer.byteLength(one) <= MAX);
        expect(messages(counted(short), cuts)).toEqual({ out: short, tooLong: 0 });
      }),
    );
  });

  it('reads one message a line, the last one without its end too', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), sizes, (list, cuts) => {
        const short = list.filter((one) => Buffer.byteLength(one) <= MAX);
        expect(messages(short.join('\n'), cuts)).toEqual({ out: short, tooLong: 0 });
      }),
    );
  });

  it('takes lines that begin with a number for lines', () => {
    expect(messages('2026-01-02 up\n17 apples\n').out).toEqual(['2026-01-02 up', '17 apples']);
  });

  it('passes over what is too long in either framing, counts it, and goes on', () => {
    const long = 'x'.repeat(5 * MAX);
    for (const cuts of [[], [3, 50, 50, 50], Array.from({ length: 400 }, () => 1)]) {
      expect(messages(`a\n${long}\nb\n`, cuts)).toEqual({ out: ['a', 'b'], tooLong: 1 });
      expect(messages(counted(['<1>a', `<1>${long}`, '<1>b']), cuts)).toEqual({
        out: ['<1>a', '<1>b'],
        tooLong: 1,
      });
    }
  });

  it('refuses a stream whose counting is lost', () => {
    expect(() => messages('4 <1>aoops <1>b')).toThrow(FramingError);
    expect(() => messages(`4 <1>a${'9'.repeat(40)}`)).toThrow(FramingError);
  });

  it('never fails otherwise and never holds more than one message, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), sizes, (bytes, cuts) => {
        try {
          messages(Buffer.from(bytes).toString('latin1'), cuts);
        } catch (error) {
          expect(error).toBeInstanceOf(FramingError);
        }
      }),
    );
  });
});
