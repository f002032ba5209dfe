import { expect, it } from 'vitest';
import { BOOT, makeBatch } from '../testing/messages.js';
import { readScoreName } from './score-name.js';

const nameOf = (text: string) => readScoreName(Buffer.from(text));

it('a batch has the name that it will have when it is decoded', () => {
  const text = JSON.stringify(makeBatch({ sequence: 71 }));
  expect(nameOf(text)).toEqual({ boot: BOOT, sequence: 71, historical: false });
  expect(nameOf(text.replace('{', '{"historical":true,'))).toMatchObject({ sequence: 71, historical: true });
  const largest = JSON.stringify(makeBatch({ agent: 'x'.repeat(64), sequence: 999_999_999_999_999 }));
  expect(nameOf(largest)).toMatchObject({ sequence: 999_999_999_999_999 });
});

it('what begins otherwise has no name', () => {
  const text = JSON.stringify(makeBatch());
  for (const other of [
    '',
    '{}',
    ` ${text}`,
    text.replace('"v":1', '"v":2'),
    text.replace(BOOT, 'zz'),
    text.slice(0, 60),
  ])
    expect(nameOf(other)).toBeNull();
});
