/** Medians, spreads and ratios of what was measured, and the table that shows them. */
import { writeFileSync } from 'node:fs';

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function spread(values) {
  return { value: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/** How many times better ours is: less time or memory, or a higher rate. */
function ratioOf(own, peer, unit) {
  return unit.endsWith('/s') ? own / peer : peer / own;
}

/** One entry a figure and peer; without a peer, or without a figure of ours, what is missing is null. */
export function summarize(measured) {
  return measured.flatMap(({ name, unit, own, peers }) => {
    const ours = own.length > 0 ? spread(own) : null;
    const entry = { name, unit, value: ours?.value ?? null, ours };
    const none = { peer: null, peer_value: null, ratio: null, theirs: null };
    if (peers.size === 0) return [{ ...entry, ...none }];
    return [...peers].map(([peer, values]) => {
      const theirs = spread(values);
      const ratio = ours ? ratioOf(ours.value, theirs.value, unit) : null;
      return { ...entry, peer, peer_value: theirs.value, ratio, theirs };
    });
  });
}

function number(value) {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function shown(measured) {
  if (!measured) return '–';
  const { value, low, high } = measured;
  return low === high ? number(value) : `${number(value)} (${number(low)}–${number(high)})`;
}

/** Prints the head and one Markdown table: median (smallest–largest). */
export function printTable(head, entries) {
  const rows = entries.map(({ name, unit, ours, peer, theirs, ratio }) => [
    name,
    unit,
    shown(ours),
    peer ?? '–',
    shown(theirs),
    ratio === null ? '–' : `${number(ratio)} ×`,
  ]);
  const all = [['figure', 'unit', 'lineheron', 'peer', 'peer’s', 'times better'], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const [header, ...body] = all.map(line);
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  console.log([...head, '', header, rule, ...body].join('\n'));
}

/** The entries without their spreads, as a file of rows. */
export function writeJson(file, entries) {
  const rows = entries.map(({ name, value, unit, peer, peer_value, ratio }) => ({
    name,
    value,
    unit,
    peer,
    peer_value,
    ratio,
  }));
  writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
}
