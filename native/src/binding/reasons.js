/**
 * Makes the `Reason`s of one forest of flat triples that reasons.rs writes: feature's number, observed value (NaN
 * is null), share. What is the same for every row is handed over once: names and units in turns, and per feature
 * median, 5th and 95th percentile. Compiled once a forest, at its first question.
 */
(() => (texts, usual) => {
  const orNull = (value) => (Number.isNaN(value) ? null : value);
  const known = usual.map(orNull);
  const reason = (index, observed, share) => ({
    feature: texts[2 * index],
    unit: texts[2 * index + 1],
    observed: orNull(observed),
    median: known[3 * index],
    p5: known[3 * index + 1],
    p95: known[3 * index + 2],
    share,
    event: null,
  });
  return (found) => {
    const reasons = [];
    for (let at = 0; at < found.length; at += 3)
      reasons.push(reason(found[at], found[at + 1], found[at + 2]));
    return reasons;
  };
})();
