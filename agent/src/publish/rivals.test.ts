import { expect, it } from 'vitest';
import { Rivals } from './rivals.js';

const [OURS, OTHER] = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb'];

function build() {
  const verdicts: boolean[] = [];
  return { rivals: new Rivals(OURS, (rival) => verdicts.push(rival)), verdicts };
}

it('takes what an earlier life of ours left with the broker for no rival, in whatever order it comes', () => {
  for (const order of ['kept first', 'ours first']) {
    const { rivals, verdicts } = build();
    rivals.connected();
    if (order === 'kept first') rivals.hear(OTHER, true);
    rivals.hear(OURS, false);
    if (order === 'ours first') rivals.hear(OTHER, true);
    expect(verdicts).not.toContain(true);
  }
});

it('knows a rival by what it left since, and that it is gone when what is kept is ours again', () => {
  const { rivals, verdicts } = build();
  rivals.connected();
  rivals.hear(OURS, false);
  rivals.connected();
  rivals.hear(OTHER, true);
  rivals.hear(OURS, false);
  expect(verdicts).toEqual([false, true]);
  rivals.connected();
  rivals.hear(OURS, true);
  rivals.hear(OURS, false);
  expect(verdicts.at(-1)).toBe(false);
});

it('says nothing of an info of ours that never reached the broker', () => {
  const { rivals, verdicts } = build();
  rivals.connected();
  rivals.hear(OTHER, true);
  rivals.connected();
  rivals.hear(OTHER, true);
  expect(verdicts).toEqual([]);
});
