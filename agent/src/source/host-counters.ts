/**
 * The machine's own line counters, pure: text of `/proc/net/dev` and `/proc/net/snmp` in, a record's fields out.
 * Counters that wrapped or restarted make a field unknown or right, never a spike.
 */

export interface InterfaceCounters {
  bytes: number;
  packets: number;
  /** Errors and drops, both directions. */
  failures: number;
}

export interface HostCounters {
  interfaces: ReadonlyMap<string, InterfaceCounters>;
  retransmits: number | null;
  resets: number | null;
}

export interface LineFields {
  packet_loss_pct?: number;
  retry_count?: number;
  traffic_volume_mb?: number;
  connection_resets?: number;
}

const WRAP_32 = 2 ** 32;
/** More than this in one interval is no traffic, it is another counter. */
const MAX_PLAUSIBLE_SHARE = 0.25;
const MAX_INTERFACES = 1024;

/** Reads `/proc/net/dev`. Without a filter all but the loopback count. */
export function parseInterfaces(text: string, only?: readonly string[]): Map<string, InterfaceCounters> {
  const found = new Map<string, InterfaceCounters>();
  for (const line of text.split('\n')) {
    const match = /^\s*([^\s:]+):\s*(.*)$/.exec(line);
    if (!match || found.size >= MAX_INTERFACES) continue;
    const name = match[1]!;
    if (only ? !only.includes(name) : name === 'lo') continue;
    const numbers = match[2]!.trim().split(/\s+/).map(Number);
    if (numbers.length < 12 || !numbers.slice(0, 12).every(Number.isFinite)) continue;
    const at = (index: number) => numbers[index]!;
    found.set(name, {
      bytes: at(0) + at(8),
      packets: at(1) + at(9),
      failures: at(2) + at(3) + at(10) + at(11),
    });
  }
  return found;
}

/** Reads the `Tcp:` pair of lines of `/proc/net/snmp` by the names in its header. */
export function parseTcp(text: string): Pick<HostCounters, 'retransmits' | 'resets'> {
  const [header, values] = text
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.trim().split(/\s+/));
  const field = (name: string) => {
    const value = Number(values?.[header?.indexOf(name) ?? -1]);
    return Number.isFinite(value) ? value : null;
  };
  return { retransmits: field('RetransSegs'), resets: field('EstabResets') };
}

/**
 * How much a counter grew, null when that cannot be known. A smaller value is a 32-bit wrap when the counter stood
 * near the top and the growth that follows from it is plausible; else the counter has restarted.
 */
export function growth(before: number, now: number): number | null {
  if (now >= before) return now - before;
  if (before >= WRAP_32) return null;
  const wrapped = now + WRAP_32 - before;
  return wrapped <= WRAP_32 * MAX_PLAUSIBLE_SHARE ? wrapped : null;
}

/** The fields of one interval. Interfaces that came or went in it are left out. */
export function lineFields(before: HostCounters, now: HostCounters): LineFields {
  const fields: LineFields = {};
  const line = interfaceGrowth(before.interfaces, now.interfaces);
  if (line) {
    fields.traffic_volume_mb = line.bytes / 1e6;
    const loss = lossPct(line);
    if (loss !== null) fields.packet_loss_pct = loss;
  }
  const retries = counterGrowth(before.retransmits, now.retransmits);
  if (retries !== null) fields.retry_count = retries;
  const resets = counterGrowth(before.resets, now.resets);
  if (resets !== null) fields.connection_resets = resets;
  return fields;
}

/** Drops may be counted beside the packets, so the share is held at 100. Unknown where nothing was sent or came. */
function lossPct({ packets, failures }: InterfaceCounters): number | null {
  if (failures === 0) return packets === 0 ? null : 0;
  return packets === 0 ? 100 : Math.min(100, (100 * failures) / packets);
}

function counterGrowth(before: number | null, now: number | null): number | null {
  return before === null || now === null ? null : growth(before, now);
}

function interfaceGrowth(
  before: ReadonlyMap<string, InterfaceCounters>,
  now: ReadonlyMap<string, InterfaceCounters>,
): InterfaceCounters | null {
  const total: InterfaceCounters = { bytes: 0, packets: 0, failures: 0 };
  let known = false;
  for (const [name, current] of now) {
    const earlier = before.get(name);
    if (!earlier) continue;
    const bytes = growth(earlier.bytes, current.bytes);
    const packets = growth(earlier.packets, current.packets);
    const failures = growth(earlier.failures, current.failures);
    // One restarted interface makes the sum of this interval unknown.
    if (bytes === null || packets === null || failures === null) return null;
    known = true;
    total.bytes += bytes;
    total.packets += packets;
    total.failures += failures;
  }
  return known ? total : null;
}
