import { describe, expect, it } from 'vitest';
import { ShortList } from './short-list.js';

const named = (name: string) => ({ name });
const names = (items: readonly { name: string }[]) => items.map(({ name }) => name);

describe('a short list', () => {
  it('holds no more than it may, and lets a better one go for a worse one', () => {
    const list = new ShortList<{ name: string }>(2, 3);
    const [calm, calmer, silent, alarmed] = ['calm', 'calmer', 'silent', 'alarmed'].map(named) as [
      { name: string },
      { name: string },
      { name: string },
      { name: string },
    ];
    list.note(calm, 2);
    list.note(calmer, 2);
    expect(names(list.take().changed)).toEqual(['calm', 'calmer']);
    list.note(named('late'), 2);
    expect(list.take()).toEqual({ changed: [], gone: [] });
    list.note(silent, 1);
    expect(list.take()).toEqual({ changed: [silent], gone: [calm] });
    list.note(alarmed, 0);
    list.note(named('silent too'), 1);
    expect(list.take()).toEqual({ changed: [alarmed], gone: [calmer] });
    expect(names(list.all)).toEqual(['silent', 'alarmed']);
  });

  it('tells once of what changed often, and has room again for what comes after one is forgotten', () => {
    const list = new ShortList<{ name: string }>(1, 2);
    const one = named('one');
    list.note(one, 1);
    list.note(one, 0);
    expect(list.take()).toEqual({ changed: [one], gone: [] });
    list.forget(one);
    const other = named('other');
    list.note(other, 1);
    expect(list.take()).toEqual({ changed: [other], gone: [one] });
  });
});
