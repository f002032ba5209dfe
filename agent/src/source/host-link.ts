/**
 * What the kernel says of the lines themselves: how often a carrier went away, the signal of a wireless card, how long
 * the machine is up and which boot this is. Signal levels of cellular modems are not the kernel's to tell; a tail or a
 * field map reads them where a modem manager writes them.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface LinkState {
  /** Carrier losses by interface, since the interface came up. */
  losses: ReadonlyMap<string, number>;
  /** Of the strongest wireless card, dBm. */
  signalDbm: number | null;
  uptimeSeconds: number | null;
  bootId: string | null;
}

const MAX_INTERFACES = 256;

/** `only`: these interfaces; all that have a device when absent, so that bridges and tunnels do not count. */
export async function readLinkState(
  procRoot: string,
  sysRoot: string,
  only?: readonly string[],
): Promise<LinkState> {
  const [losses, wireless, uptime, bootId] = await Promise.all([
    carrierLosses(join(sysRoot, 'class/net'), only),
    text(join(procRoot, 'net/wireless')),
    text(join(procRoot, 'uptime')),
    text(join(procRoot, 'sys/kernel/random/boot_id')),
  ]);
  const uptimeSeconds = Number.parseFloat(uptime);
  return {
    losses,
    signalDbm: wirelessSignal(wireless, only),
    uptimeSeconds: Number.isFinite(uptimeSeconds) ? uptimeSeconds : null,
    bootId: bootId.trim().slice(0, 64) || null,
  };
}

/** Losses between two states. An interface that came, went or began anew counts nothing. */
export function newLosses(before: LinkState, now: LinkState): number {
  let losses = 0;
  for (const [name, count] of now.losses) {
    const earlier = before.losses.get(name);
    if (earlier !== undefined && count > earlier) losses += count - earlier;
  }
  return losses;
}

/** Reads `/proc/net/wireless`; null when there is no card or its driver gives no dBm. */
export function wirelessSignal(wireless: string, only?: readonly string[]): number | null {
  const levels = wireless.split('\n').flatMap((line) => {
    const match = /^\s*([^\s:]+):\s+\S+\s+\S+\s+(-?[\d.]+)/.exec(line);
    if (!match || (only && !only.includes(match[1]!))) return [];
    const level = Number.parseFloat(match[2]!);
    return level < 0 && level > -256 ? [level] : [];
  });
  return levels.length > 0 ? Math.max(...levels) : null;
}

async function carrierLosses(folder: string, only?: readonly string[]): Promise<Map<string, number>> {
  const names = only ?? (await readdir(folder).catch(() => []));
  const losses = new Map<string, number>();
  for (const name of names.slice(0, MAX_INTERFACES)) {
    if (!only && !(await hasDevice(join(folder, name)))) continue;
    const down = count(await text(join(folder, name, 'carrier_down_count')));
    // Older kernels count both ways together.
    const changes = count(await text(join(folder, name, 'carrier_changes')));
    const known = down ?? (changes === null ? null : Math.ceil(changes / 2));
    if (known !== null) losses.set(name, known);
  }
  return losses;
}

async function hasDevice(folder: string): Promise<boolean> {
  return readdir(join(folder, 'device')).then(
    () => true,
    () => false,
  );
}

function count(content: string): number | null {
  return /^\d+\s*$/.test(content) ? Number(content) : null;
}

function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
