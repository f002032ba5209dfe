/** The host source: counters from fixture text, wraps and restarts, and a whole run over files that change. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../clock.js';
import { Counters } from '../counters.js';
import type { Log } from '../log.js';
import { lost, type Reply, unmeasured } from '../reply.js';
import { silentLog, withFolder } from '../test-support.js';
import { HostSource } from './host.js';
import { growth, lineFields, parseInterfaces, parseTcp } from './host-counters.js';
import { newLosses, readLinkState, wirelessSignal } from './host-link.js';
import { tcpRoundTrip } from './round-trip.js';

interface Numbers {
  rxBytes?: number;
  rxPackets?: number;
  rxErrors?: number;
  rxDrops?: number;
  txBytes?: number;
  retransmits?: number;
  resets?: number;
}

const dev = (
  numbers: Numbers,
) => `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 99999999 1000 7 7 0 0 0 0 99999999 1000 7 7 0 0 0 0
  eth0:${numbers.rxBytes ?? 1000} ${numbers.rxPackets ?? 10} ${numbers.rxErrors ?? 0} ${numbers.rxDrops ?? 0} 0 0 0 0 ${numbers.txBytes ?? 500} 10 0 0 0 0 0 0
`;

const snmp = (numbers: Numbers) => `Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm EstabResets CurrEstab RetransSegs InErrs
Tcp: 1 ${numbers.resets ?? 3} 5 ${numbers.retransmits ?? 40} 0
`;

const counters = (numbers: Numbers) => ({
  interfaces: parseInterfaces(dev(numbers)),
  ...parseTcp(snmp(numbers)),
});

const answered = (latencyMs: number): Reply => ({ kind: 'answered', latencyMs, error: null });

describe('host counters', () => {
  it('reads interfaces without the loopback and TCP fields by their header', () => {
    expect([...parseInterfaces(dev({})).keys()]).toEqual(['eth0']);
    expect([...parseInterfaces(dev({}), ['lo']).keys()]).toEqual(['lo']);
    expect(parseTcp(snmp({ retransmits: 41, resets: 4 }))).toEqual({ retransmits: 41, resets: 4 });
    expect(parseTcp('')).toEqual({ retransmits: null, resets: null });
    expect(parseInterfaces('garbage: in here\nand: x y z').size).toBe(0);
  });

  it('turns two readings into the fields of a record', () => {
    const before = counters({});
    const now = counters({
      rxBytes: 2_001_000,
      rxPackets: 110,
      rxErrors: 1,
      rxDrops: 1,
      txBytes: 1_000_500,
      retransmits: 43,
      resets: 4,
    });
    expect(lineFields(before, now)).toEqual({
      traffic_volume_mb: 3,
      packet_loss_pct: 2,
      retry_count: 3,
      connection_resets: 1,
    });
  });

  it('counts a 32-bit wrap right and makes a restart unknown, never a spike', () => {
    expect(growth(2 ** 32 - 10, 5)).toBe(15);
    expect(growth(5_000_000, 10)).toBeNull();
    expect(growth(2 ** 40, 10)).toBeNull();
    const restarted = lineFields(
      counters({ rxBytes: 5_000_000, retransmits: 1000 }),
      counters({ rxBytes: 10 }),
    );
    expect(restarted).toEqual({ connection_resets: 0 });
  });

  it('leaves an interface out in the interval in which it came', () => {
    expect(lineFields({ ...counters({}), interfaces: new Map() }, counters({}))).toEqual({
      retry_count: 0,
      connection_resets: 0,
    });
  });
});

/** A clock whose every pause is a step, during which `onSleep` changes the world. */
function steppingClock(onSleep: () => Promise<void>): Clock {
  let nowMs = 0;
  return {
    nowMs: () => Date.UTC(2026, 0, 1) + nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
      await onSleep();
    },
  };
}

const hostConfig = (root: string) => ({
  type: 'host' as const,
  interval_seconds: 1,
  proc_root: join(root, 'proc'),
  sys_root: join(root, 'sys'),
});

describe('HostSource', () => {
  const config = { type: 'host' as const, interval_seconds: 1, proc_root: '', sys_root: '/nonexistent' };

  const told = { log: silentLog, counters: new Counters() };

  async function firstRecords(root: string, clock: Clock, replies: Reply[], count: number) {
    const source = new HostSource({
      config: { ...config, proc_root: root },
      device: 'me',
      roundTrip: async () => replies.shift()!,
      target: 'nowhere',
      channels: [],
      saved: undefined,
      clock,
      ...told,
    });
    const abort = new AbortController();
    const records: unknown[] = [];
    for await (const chunk of source.chunks(abort.signal)) {
      records.push(JSON.parse(Buffer.from(chunk.bytes).toString()));
      if (records.length === count) abort.abort();
    }
    return records;
  }

  it('writes a record an interval from what has changed, and loss 100 when the round trip fails', () =>
    withFolder(async (root) => {
      await mkdir(join(root, 'net'));
      let rxBytes = 1000;
      const write = async () => {
        rxBytes += 1_000_000;
        await writeFile(join(root, 'net', 'dev'), dev({ rxBytes, rxPackets: rxBytes / 1000 }));
        await writeFile(join(root, 'net', 'snmp'), snmp({}));
      };
      await write();
      const records = await firstRecords(root, steppingClock(write), [answered(12.3456), lost('timeout')], 2);
      const common = { device_id: 'me', traffic_volume_mb: 1, retry_count: 0, connection_resets: 0 };
      expect(records).toEqual([
        { timestamp: '2026-01-01T00:00:01.000Z', ...common, latency_ms: 12.346, packet_loss_pct: 0 },
        { timestamp: '2026-01-01T00:00:02.000Z', ...common, packet_loss_pct: 100 },
      ]);
    }));

  it('leaves loss and latency out when the round trip could not be measured, and tells why once', () =>
    withFolder(async (root) => {
      await mkdir(join(root, 'net'));
      let rxBytes = 0;
      const write = async () => {
        rxBytes += 1_000_000;
        await writeFile(join(root, 'net', 'dev'), dev({ rxBytes }));
      };
      await write();
      const replies = [unmeasured('no_broker'), unmeasured('no_broker'), answered(3)];
      const warnings: string[] = [];
      const source = new HostSource({
        config: { ...config, proc_root: root },
        device: 'me',
        roundTrip: async () => replies.shift()!,
        target: 'the broker',
        channels: [],
        saved: undefined,
        clock: steppingClock(write),
        log: { ...silentLog, warn: ((...said: unknown[]) => warnings.push(String(said[1]))) as Log['warn'] },
        counters: told.counters,
      });
      const records: unknown[] = [];
      const details: string[] = [];
      for await (const { bytes } of source.chunks(new AbortController().signal)) {
        records.push(JSON.parse(Buffer.from(bytes).toString()));
        details.push(source.detail);
        if (records.length === 3) break;
      }
      expect(records[0]).toEqual({
        timestamp: expect.any(String),
        device_id: 'me',
        traffic_volume_mb: 1,
      });
      expect(records[2]).toMatchObject({ latency_ms: 3 });
      expect(warnings).toEqual([
        expect.stringMatching(/cannot measure the round trip to the broker.*target/),
      ]);
      expect(details[0]).toMatch(/^cannot measure the round trip to the broker: there is no connection/);
      expect(details[2]).not.toMatch(/cannot/);
      expect(told.counters.get('host_unmeasured')).toBe(2);
    }));

  it('gives no record of an interval in which nothing could be measured', () =>
    withFolder(async (root) => {
      const replies = [unmeasured('not_connected'), answered(5)];
      const clock = steppingClock(async () => {});
      const records = await firstRecords(root, clock, replies, 1);
      expect(records).toEqual([{ timestamp: '2026-01-01T00:00:02.000Z', device_id: 'me', latency_ms: 5 }]);
    }));

  it('ends at once when it is told so, while a round trip still waits for its answer', async () => {
    const abort = new AbortController();
    const source = new HostSource({
      config,
      device: 'me',
      roundTrip: () => {
        setImmediate(() => abort.abort());
        return new Promise(() => {});
      },
      target: 'nowhere',
      channels: [],
      saved: undefined,
      clock: steppingClock(async () => {}),
      ...told,
    });
    expect(await source.chunks(abort.signal).next()).toEqual({ done: true, value: undefined });
  }, 5_000);

  it('knows only the round trip where there is no /proc', () =>
    withFolder(async (root) => {
      const records = await firstRecords(
        root,
        steppingClock(async () => {}),
        [answered(5)],
        1,
      );
      expect(records).toEqual([{ timestamp: '2026-01-01T00:00:01.000Z', device_id: 'me', latency_ms: 5 }]);
    }));
});

describe('what the kernel says of the line', () => {
  const wireless = (level: string) =>
    `Inter-| sta-|   Quality        |   Discarded packets\n face | tus | link level noise\n wlan0: 0000   54.  ${level}  -256        0\n`;

  async function fixture(root: string, state: { down: string; boot: string; level: string }): Promise<void> {
    const eth = join(root, 'sys/class/net/eth0');
    await mkdir(join(eth, 'device'), { recursive: true });
    await mkdir(join(root, 'sys/class/net/br0'), { recursive: true });
    await mkdir(join(root, 'proc/net'), { recursive: true });
    await mkdir(join(root, 'proc/sys/kernel/random'), { recursive: true });
    await writeFile(join(eth, 'carrier_down_count'), state.down);
    await writeFile(join(root, 'sys/class/net/br0/carrier_down_count'), state.down);
    await writeFile(join(root, 'proc/net/wireless'), wireless(state.level));
    await writeFile(join(root, 'proc/uptime'), '350735.47 234388.90\n');
    await writeFile(join(root, 'proc/sys/kernel/random/boot_id'), `${state.boot}\n`);
  }

  it('counts lost carriers and a boot as resets, and fills the channels that are declared', () =>
    withFolder(async (root) => {
      await fixture(root, { down: '3\n', boot: 'boot-2', level: '-56.' });
      let steps = 0;
      const clock = steppingClock(async () => {
        steps += 1;
        if (steps === 2) await fixture(root, { down: '5\n', boot: 'boot-2', level: '-71.' });
      });
      const source = new HostSource({
        config: hostConfig(root),
        device: 'me',
        roundTrip: async () => answered(1),
        target: 'nowhere',
        channels: ['signal_dbm', 'uptime_seconds', 'link_losses'],
        saved: { boot: 'boot-1' },
        clock,
        log: silentLog,
        counters: new Counters(),
      });
      const abort = new AbortController();
      const records: Record<string, unknown>[] = [];
      for await (const { bytes, position } of source.chunks(abort.signal)) {
        records.push(JSON.parse(Buffer.from(bytes).toString()));
        expect(position?.(null)).toEqual({ boot: 'boot-2' });
        if (records.length === 3) abort.abort();
      }
      expect(records[0]).toMatchObject({ connection_resets: 1, link_losses: 0, signal_dbm: -56 });
      expect(records[1]).toMatchObject({ connection_resets: 2, link_losses: 2, signal_dbm: -71 });
      expect(records[1]).toMatchObject({ uptime_seconds: 350_735.47 });
      expect(records[2]).not.toHaveProperty('connection_resets');
    }));

  it('leaves undeclared channels out, and bridges and tunnels uncounted', () =>
    withFolder(async (root) => {
      await fixture(root, { down: '3\n', boot: 'boot-1', level: '-56.' });
      const state = await readLinkState(join(root, 'proc'), join(root, 'sys'));
      expect([...state.losses]).toEqual([['eth0', 3]]);
      const named = await readLinkState(join(root, 'proc'), join(root, 'sys'), ['br0']);
      expect([...named.losses]).toEqual([['br0', 3]]);
      expect(named.signalDbm).toBeNull();
    }));

  it('knows nothing where the kernel says nothing, or what makes no sense', async () => {
    const nothing = await readLinkState('/nonexistent', '/nonexistent');
    expect(nothing).toEqual({ losses: new Map(), signalDbm: null, uptimeSeconds: null, bootId: null });
    expect(wirelessSignal(wireless('0.'))).toBeNull();
    expect(wirelessSignal('Inter-| nothing')).toBeNull();
    expect(
      newLosses({ ...nothing, losses: new Map([['a', 9]]) }, { ...nothing, losses: new Map([['a', 1]]) }),
    ).toBe(0);
  });
});

describe('tcpRoundTrip', () => {
  it('measures a connect, and knows a refused one', async () => {
    const server = createServer((socket) => socket.destroy());
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    const roundTrip = tcpRoundTrip(`127.0.0.1:${port}`, systemClock);
    expect(await roundTrip(2_000)).toMatchObject({ kind: 'answered', latencyMs: expect.any(Number) });
    await new Promise((resolve) => server.close(resolve));
    expect(await roundTrip(2_000)).toEqual(lost('connrefused'));
  });
});
