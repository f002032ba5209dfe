/**
 * One reason as a clause: what, how bad, and what is usual. A value within its usual range is no reason by itself; where
 * no other remains it is the combination that is unusual. Pure.
 */
import type { NormalIf, Reason } from '../score.js';
import { figure, figureBeside, span, withUnit } from './number.js';
import { isSayable, type Words, wordsOf } from './words.js';

/** A reason in two parts: what was observed, and what is usual (empty where that is not known). */
export interface Clause {
  what: string;
  usual: string;
}

/** More digits than this are no difference that anybody would call one. */
const MAX_SHOWN = 7;

interface Said {
  words: Words;
  observed: number | null;
  p5: number | null;
  p95: number | null;
}

function said({ feature, unit, observed, median, p5, p95 }: Reason): Said {
  const known = [median, p95, p5, observed].filter((value) => value !== null && isSayable(value));
  const words = wordsOf(feature, unit, known as number[]);
  const scaled = (value: number | null) =>
    value === null || !Number.isFinite(value) ? null : words.scaled(value);
  const within = (value: number | null) => {
    const part = scaled(value);
    if (part === null) return null;
    const least = Math.max(part, words.least ?? Number.NEGATIVE_INFINITY);
    return Math.min(least, words.most ?? Number.POSITIVE_INFINITY);
  };
  return { words, observed: within(observed), p5: within(p5), p95: within(p95) };
}

/** The end of the usual range that lies nearest; null where none is known or the value lies within. */
function passed({ observed, p5, p95 }: Said): number | null {
  if (observed === null || p5 === null || p95 === null) return null;
  const end = observed > p95 ? p95 : observed < p5 ? p5 : null;
  if (end === null) return null;
  // What no digit that a person reads can show is no difference.
  return Math.abs(observed - end) > Math.max(Math.abs(observed), Math.abs(end)) * 10 ** -MAX_SHOWN
    ? end
    : null;
}

/** Whether a value is a reason by itself: outside its usual range, or that is not known, or the value is not. */
export function isOutside(reason: Reason): boolean {
  if (reason.event) return true;
  const parts = said(reason);
  if (parts.observed === null || parts.p5 === null || parts.p95 === null) return true;
  return passed(parts) !== null;
}

/** `180 ms` → `usually 22–31 ms`, `usually below 0.1 %`, `usually 0`, `usually at most 1`. */
function usualText(parts: Said): string {
  const { words, observed, p5, p95 } = parts;
  if (p5 === null || p95 === null) return '';
  const beside = passed(parts) === null ? (value: number) => figureBeside(value, value) : null;
  const write = beside ?? ((value: number) => figureBeside(value, observed ?? value));
  // A range narrower than its distance from what was observed needs no digits of its own.
  const [low, high] = observed === null || beside ? [pair(p5, p95), pair(p95, p5)] : [write(p5), write(p95)];
  const { unit } = words;
  if (low === high) return `usually ${p5 === p95 ? '' : 'about '}${withUnit(high, unit)}`;
  const fromLeast = words.least !== null && p5 <= words.least;
  if (fromLeast) return `usually ${words.whole ? 'at most' : 'below'} ${withUnit(high, unit)}`;
  const to = p5 < 0 || high.includes('×') || low.includes('×') ? ' to ' : '–';
  return `usually ${withUnit(`${low}${to}${high}`, unit)}`;
}

const pair = (value: number, other: number) => figureBeside(value, value === other ? 0 : other);

/** `3 a day before`, `one in 5 days before`, `none in the last 20 days`. */
function before({ per_day, known_seconds }: NonNullable<Reason['event']>): string {
  if (per_day <= 0) return `none in the last ${span(known_seconds)}`;
  if (per_day < 0.7) return `one in ${span(86_400 / per_day)} before`;
  for (const [perUnit, name] of [
    [per_day, 'a day'],
    [per_day / 24, 'an hour'],
  ] as const) {
    if (perUnit < 48) return `${figure(perUnit, perUnit < 2 ? 1 : 0)} ${name} before`;
  }
  return `${figure(per_day / 1440, per_day < 2 * 1440 ? 1 : 0)} a minute before`;
}

/** A code that is a number or one word in small letters needs a word before it. */
const eventName = (name: string) => (/^-?\d+$/.test(name) ? `error ${name}` : name.replaceAll('_', ' '));

function eventClause(event: NonNullable<Reason['event']>, count: number): Clause {
  const name = eventName(event.name);
  const what =
    count <= 1 ? name : `${name}, ${figure(count, 0)} times in ${span(Math.max(1, event.seconds))}`;
  return { what, usual: before(event) };
}

/** What was observed and what is usual. */
export function clauseOf(reason: Reason): Clause {
  if (reason.event) return eventClause(reason.event, reason.observed ?? 1);
  const parts = said(reason);
  const { words, observed, p5, p95 } = parts;
  const usual = usualText(parts);
  if (observed === null) return { what: words.say('not measured'), usual };
  const near = passed(parts) ?? (p5 !== null && p95 !== null && p5 !== p95 ? observed + (p95 - p5) : 0);
  return { what: words.say(withUnit(figureBeside(observed, near), words.unit)), usual };
}

/** `latency 180 ms (usually 22–31 ms)`. */
export function reasonClause(reason: Reason): string {
  const { what, usual } = clauseOf(reason);
  return usual === '' ? what : `${what} (${usual})`;
}

/**
 * What would have kept it away, said of one reason: `alerts above 112 ms`. Empty where the change is of something else,
 * or says the contrary of the reason: a limit inside the usual range would.
 */
export function limitClause(reason: Reason, changes: readonly NormalIf[]): string {
  const change = changes.find(({ feature }) => feature === reason.feature);
  if (!change || reason.observed === null) return '';
  const above = change.side === 'below';
  if (reason.event) {
    const seconds = change.seconds ?? reason.event.seconds;
    const limit = `alerts above ${figure(change.value, 0)} in ${span(seconds)}`;
    return above && change.value < reason.observed ? limit : '';
  }
  const parts = said(reason);
  const { words, observed, p5, p95 } = parts;
  if (observed === null) return '';
  const limit = words.scaled(change.value);
  const agrees = above
    ? limit < observed && limit >= (p95 ?? limit)
    : limit > observed && limit <= (p5 ?? limit);
  if (!agrees) return '';
  return `alerts ${above ? 'above' : 'below'} ${words.limit(withUnit(figureBeside(limit, observed), words.unit))}`;
}
