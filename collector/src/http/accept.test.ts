import { describe, expect, it } from 'vitest';
import { preferredExposition } from './accept.js';

describe('preferredExposition', () => {
  it.each([
    [undefined, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['application/json', 'json'],
    ['text/html', 'json'],
    ['text/plain', 'prometheus'],
    ['text/plain;version=0.0.4', 'prometheus'],
    ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'prometheus'],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1',
      'openmetrics',
    ],
    ['application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.3', 'prometheus'],
    ['text/plain;version=9.9.9,*/*;q=0.1', 'json'],
    ['text/plain;q=0', 'json'],
    ['text/*', 'prometheus'],
    ['application/json;q=0.5, text/plain;q=0.9', 'prometheus'],
    ['text/plain;q=abc', 'json'],
  ])('%s → %s', (accept, expected) => {
    expect(preferredExposition(accept)).toBe(expected);
  });
});
