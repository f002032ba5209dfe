/** Patterns of paths, against the plain definition of what they mean. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withFolder } from '../test-support.js';
import { globPaths, matcher, patternRoot } from './glob.js';

async function found(pattern: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of globPaths(pattern)) paths.push(path);
  return paths.sort();
}

describe('matcher', () => {
  it('means by * and ? what the plain definition says', () => {
    /** By trying every length for every star. */
    const fits = (pattern: string, name: string): boolean => {
      if (pattern === '') return name === '';
      if (pattern[0] === '*')
        return fits(pattern.slice(1), name) || (name !== '' && fits(pattern, name.slice(1)));
      if (name === '') return false;
      return (pattern[0] === '?' || pattern[0] === name[0]) && fits(pattern.slice(1), name.slice(1));
    };
    const text = (alphabet: string, maxLength: number) =>
      fc.array(fc.constantFrom(...alphabet), { maxLength }).map((list) => list.join(''));
    fc.assert(
      fc.property(text('ab*?', 7), text('ab', 9), (pattern, name) => {
        expect(matcher(pattern)(name)).toBe(fits(pattern, name));
      }),
    );
  });

  it.each([
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['[!a-c]x', 'dx', true],
    ['[^a]x', 'ax', false],
    ['[]x', '[]x', true],
    ['a[-]b', 'a-b', true],
    ['*.log', '.log', false],
    ['.*', '.log', true],
  ])('%s and %s: %s', (pattern, name, fits) => {
    expect(matcher(pattern)(name)).toBe(fits);
  });

  it('takes time that grows with pattern times name, whatever the pattern', () => {
    expect(matcher(`${'*a'.repeat(2_000)}b`)('a'.repeat(4_000))).toBe(false);
  });
});

describe('globPaths', () => {
  it('finds files at any depth and follows no loop of links', () =>
    withFolder(async (folder) => {
      await mkdir(join(folder, 'a', 'b'), { recursive: true });
      await mkdir(join(folder, 'x.log'));
      await symlink(folder, join(folder, 'a', 'loop'));
      for (const name of ['1.log', 'a/2.log', 'a/b/3.log', 'a/b/4.txt'])
        await writeFile(join(folder, name), '');
      const names = async (pattern: string) =>
        (await found(join(folder, pattern))).map((path) => path.slice(folder.length + 1));
      expect(await names('*.log')).toEqual(['1.log']);
      expect(await names('**/*.log')).toEqual(['1.log', 'a/2.log', 'a/b/3.log']);
      expect(await names('a/*/*.txt')).toEqual(['a/b/4.txt']);
      expect(await names('*/2.log')).toEqual(['a/2.log']);
      expect(await names('nowhere/*')).toEqual([]);
      expect(patternRoot(join(folder, 'a', '*', '*.txt'))).toBe(join(folder, 'a'));
    }));
});
