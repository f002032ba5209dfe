import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FilterTree } from './filter-tree.js';
import { agentOfClient, agentOfCore, isFilter, isTopic, matches } from './topic.js';

const LIMITS = { maxTopicBytes: 100, maxTopicLevels: 5 };

describe('topics and filters', () => {
  it('are valid as MQTT 3.1.1 says, and within their bounds', () => {
    for (const topic of ['a', '/', 'a//b', '$price', 'ä/b']) expect(isTopic(topic, LIMITS)).toBe(true);
    const bad = ['', 'a/+', '#', 'a\0', '$SYS', '$SYS/x', 'a/b/c/d/e/f', 'ä'.repeat(51)];
    for (const topic of bad) expect(isTopic(topic, LIMITS)).toBe(false);
    for (const filter of ['#', '+', '+/#', 'a/+/b', '/#', '$price/#'])
      expect(isFilter(filter, LIMITS)).toBe(true);
    for (const filter of ['', 'a#', '#/a', 'a+', '+a/b', '##', '$SYS/#', 'a/b/c/d/e/f']) {
      expect(isFilter(filter, LIMITS)).toBe(false);
    }
  });

  it('tell whose they are', () => {
    expect(agentOfClient('lineheron-agent-gw-1')).toBe('gw-1');
    for (const id of [
      'gw-1',
      'lineheron-agent-',
      'lineheron-agent-fleet',
      'lineheron-agent-GW',
      'xlineheron-agent-a',
    ]) {
      expect(agentOfClient(id)).toBeNull();
    }
    expect(agentOfCore('lineheron/v1/gw-1/status')).toBe('gw-1');
    for (const topic of [
      'lineheron/v1/gw-1/state/x',
      'lineheron/v1/GW/status',
      'lineheron/v1/gw-1/status/x',
    ]) {
      expect(agentOfCore(topic)).toBeNull();
    }
  });
});

describe('matching', () => {
  const CASES: Array<[filter: string, topic: string, isMatch: boolean]> = [
    ['a/b', 'a/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', '/a', true],
    ['+/+', '/a', true],
    ['/+', '/a', true],
    ['+', '/a', false],
    ['#', '$x', false],
    ['+/a', '$x/a', false],
    ['$x/#', '$x/a', true],
  ];

  it('follows the standard, by one filter and by a tree of them', () => {
    for (const [filter, topic, isMatch] of CASES) {
      const tree = new FilterTree<string>();
      tree.add(filter, filter);
      expect([filter, topic, matches(filter.split('/'), topic)]).toEqual([filter, topic, isMatch]);
      expect([filter, topic, tree.match(topic).size === 1]).toEqual([filter, topic, isMatch]);
    }
  });

  it('gives in a tree exactly what it gives filter by filter, and nothing of what was removed', () => {
    const level = fc.constantFrom('a', 'b', '', '$x');
    const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
    const filter = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', '', '+', '$x'), { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([levels, isOpen]) => [...levels, ...(isOpen ? ['#'] : [])].join('/'));
    const filters = fc.uniqueArray(filter, { maxLength: 12 });
    fc.assert(
      fc.property(filters, filters, topic, (kept, removed, name) => {
        const tree = new FilterTree<string>();
        for (const one of [...kept, ...removed]) tree.add(one, one);
        for (const one of removed) tree.remove(one, one);
        const left = kept.filter((one) => !removed.includes(one));
        const expected = left.filter((one) => matches(one.split('/'), name));
        expect([...tree.match(name)].sort()).toEqual(expected.sort());
      }),
    );
  });
});
