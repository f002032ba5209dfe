/** Units in key names and in values: what somebody meant who wrote `30s` or `window_size_ms`. Pure. */

/** Every unit by what people call it: its kind, and how many of the kind's base units it is. */
const UNITS: Readonly<Record<string, readonly [kind: string, factor: number]>> = {
  ms: ['time', 0.001],
  millis: ['time', 0.001],
  milliseconds: ['time', 0.001],
  s: ['time', 1],
  sec: ['time', 1],
  secs: ['time', 1],
  second: ['time', 1],
  seconds: ['time', 1],
  m: ['time', 60],
  min: ['time', 60],
  minute: ['time', 60],
  minutes: ['time', 60],
  h: ['time', 3600],
  hour: ['time', 3600],
  hours: ['time', 3600],
  d: ['time', 86_400],
  day: ['time', 86_400],
  days: ['time', 86_400],
  b: ['size', 1],
  byte: ['size', 1],
  bytes: ['size', 1],
  k: ['size', 1000],
  kb: ['size', 1000],
  kib: ['size', 1024],
  mb: ['size', 1e6],
  mib: ['size', 1024 ** 2],
  gb: ['size', 1e9],
  gib: ['size', 1024 ** 3],
  '%': ['share', 0.01],
  pct: ['share', 0.01],
  percent: ['share', 0.01],
};

const UNIT_WORDS: Readonly<Record<string, string>> = { ms: 'milliseconds', s: 'seconds', bytes: 'bytes' };

const unitOf = (word: string) => (Object.hasOwn(UNITS, word) ? UNITS[word] : undefined);

/** A key in two: the name, and the unit that it ends with, if any. `window_size_seconds` → `window_size`, `seconds`. */
export function splitKey(key: string): { stem: string; unit: string | null } {
  const at = key.lastIndexOf('_');
  const unit = key.slice(at + 1);
  return at > 0 && unitOf(unit) ? { stem: key.slice(0, at), unit } : { stem: key, unit: null };
}

/** The unit of a key in words. */
export function unitWords(key: string): string | null {
  const { unit } = splitKey(key);
  return unit && (UNIT_WORDS[unit] ?? unit);
}

/** Shares have no unit in their name; a percentage given for them is one all the same. */
const isShare = (key: string) => ['contamination', 'anomaly_probability'].includes(key);

function converted(amount: number, unit: string, key: string): number | null {
  const from = unitOf(unit);
  const to = isShare(key) ? (['share', 1] as const) : unitOf(splitKey(key).unit ?? '');
  if (!from || !to || from[0] !== to[0]) return null;
  return Number(((amount * from[1]) / to[1]).toPrecision(12));
}

/** The number that a text such as `30s`, `256 MB` or `10%` means for this key; null when it means none. */
export function numberFor(key: string, text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-zµ%]*)\s*$/i.exec(text);
  if (!match) return null;
  const amount = Number(match[1]);
  return match[2] === '' ? amount : converted(amount, match[2]!.toLowerCase(), key);
}

/** What a value given under another unit's key is under the right key: 500 for `x_ms` is 0.5 for `x_seconds`. */
export function movedValue(wrongKey: string, rightKey: string, value: unknown): number | null {
  const { unit } = splitKey(wrongKey);
  return typeof value === 'number' && unit ? converted(value, unit, rightKey) : null;
}
