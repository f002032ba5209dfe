/** Joins sorted sequences into one, reading no further than is asked for. */

/** `before` says which of two comes first. */
export function* merged<T>(
  sources: ReadonlyArray<Iterator<T>>,
  before: (a: T, b: T) => boolean,
): Generator<T> {
  const heads: Array<{ value: T; source: Iterator<T> }> = [];
  const add = (source: Iterator<T>) => {
    const next = source.next();
    if (next.done) return;
    const at = heads.findIndex(({ value }) => before(next.value, value));
    heads.splice(at < 0 ? heads.length : at, 0, { value: next.value, source });
  };
  try {
    for (const source of sources) add(source);
    for (let head = heads.shift(); head; head = heads.shift()) {
      heads.unshift(head);
      yield head.value;
      heads.shift();
      add(head.source);
    }
  } finally {
    for (const { source } of heads) source.return?.();
  }
}
