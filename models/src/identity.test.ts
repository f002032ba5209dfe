import { describe, expect, it } from 'vitest';
import {
  agentIdSchema,
  bootIdSchema,
  deviceIdSchema,
  parseWindowId,
  sequenceSchema,
  timeSchema,
  windowId,
  windowIdSchema,
} from './identity.js';
import { parseAgentTopic, topics } from './topics.js';

const boot = '0123456789abcdef';

describe('identity', () => {
  it('reads back every part of a window id', () => {
    expect(parseWindowId(windowId('gw-1', boot, 7, 3))).toEqual({
      agent: 'gw-1',
      boot,
      sequence: 7,
      index: 3,
    });
  });

  it.each(['', 'gw-1', `gw-1/${boot}/1`, `gw-1/${boot}/x/1`, `GW/${boot}/1/1`, `gw-1/${boot}/1/1/1`])(
    'refuses %j as a window id',
    (id) => {
      expect(parseWindowId(id)).toBeNull();
    },
  );

  it('parses every id that it accepts, up to the largest sequence', () => {
    const largest = 999_999_999_999_999;
    expect(sequenceSchema.safeParse(largest).success).toBe(true);
    expect(sequenceSchema.safeParse(largest + 1).success).toBe(false);
    expect(parseWindowId(windowIdSchema.parse(windowId('gw-1', boot, largest, 1023)))).not.toBeNull();
    for (const id of [`gw-1/${boot}/1000000000000000/0`, `gw-1/${boot}/1/10000000`]) {
      expect(windowIdSchema.safeParse(id).success).toBe(false);
    }
  });

  it.each([
    ['1970-01-01T00:00:00Z', true],
    ['9999-12-31T23:59:59.999Z', true],
    ['1970-01-01T00:00:00+00:01', false],
    ['9999-12-31T23:59:59-00:01', false],
  ])('%s as a time is accepted: %s', (text, accepted) => {
    expect(timeSchema.safeParse(text).success).toBe(accepted);
  });

  it.each(['modem-1', 'Modem 1 (küche)', 'a'.repeat(128)])('accepts %j as a device', (id) => {
    expect(deviceIdSchema.safeParse(id).success).toBe(true);
  });

  it.each(['', 'a/b', 'a+b', 'a#b', '*', 'a\nb', 'a\u0000', 'a'.repeat(129)])(
    'refuses %j as a device',
    (id) => {
      expect(deviceIdSchema.safeParse(id).success).toBe(false);
    },
  );

  it('reserves the name of the fleet and refuses upper case, wildcards and empty agent ids', () => {
    for (const id of ['fleet', 'GW', 'a/b', '+', '#', '', 'a'.repeat(65)]) {
      expect(agentIdSchema.safeParse(id).success).toBe(false);
    }
    expect(agentIdSchema.safeParse('fleet').error?.issues[0]?.message).toBe(
      '"fleet" is reserved: choose another name',
    );
    expect(agentIdSchema.safeParse('gw-1.home_2').success).toBe(true);
  });

  it.each(['.', '..', '...', '__proto__', '_', '-rf', '.hidden', 'constructor'])(
    'refuses %j as an agent everywhere: it means something else in paths and objects',
    (id) => {
      const { error } = agentIdSchema.safeParse(id);
      expect(error?.issues[0]?.message).toMatch(/the first of them a letter or a digit|is reserved/);
      expect(parseAgentTopic(topics.score(id))).toBeNull();
      expect(parseWindowId(windowId(id, boot, 1, 0))).toBeNull();
    },
  );

  it('takes a boot id of exactly 16 hexadecimal digits', () => {
    expect(bootIdSchema.safeParse(boot).success).toBe(true);
    expect(bootIdSchema.safeParse(`${boot}0`).success).toBe(false);
  });
});
