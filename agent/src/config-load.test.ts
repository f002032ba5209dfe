/** What a configuration cannot be read from, and that it ends at once. */
import { expect, it } from 'vitest';
import { loadConfig } from './config-load.js';
import { withFolder } from './test-support.js';

it.each([
  ['a device without an end', '/dev/zero', 'is larger than 4194304 bytes'],
  ['an empty device', '/dev/null', /agent_id/],
  ['a file that is not there', '/no/such/file.yaml', 'there is no such file'],
])('refuses %s', async (_, path, reason) => {
  await expect(loadConfig(path)).rejects.toThrow(reason);
});

it('refuses a folder', () =>
  withFolder((folder) => expect(loadConfig(folder)).rejects.toThrow('is a folder')));
