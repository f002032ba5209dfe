/**
 * Makes `PushResult` of flat lists that results.rs writes: numbers (NaN is null), texts, and names of devices, to which
 * numbers refer. Compiled once with the addon: objects made here cost a tenth of objects made through the C interface,
 * property by property.
 */
(() => {
  const SCOPES = ['device', 'gateway'];
  const STATES = ['warming_up', 'untrained', 'stopped', 'scored'];
  const FLAGS = [false, true];

  return (numbers, texts, devices) => {
    let at = 0;
    let textAt = 0;
    const number = () => {
      const value = numbers[at++];
      return Number.isNaN(value) ? null : value;
    };
    const text = () => texts[textAt++];
    const flag = () => FLAGS[numbers[at++]] ?? null;
    const textOrNull = () => (numbers[at++] === 1 ? text() : null);
    const list = (make) => {
      const count = numbers[at++];
      const items = [];
      for (let index = 0; index < count; index += 1) items.push(make());
      return items;
    };
    // Nearly all of a window's numbers: no call for each.
    const numberList = () => {
      const end = at + 1 + numbers[at];
      const items = [];
      for (at += 1; at < end; at += 1) {
        const value = numbers[at];
        items.push(Number.isNaN(value) ? null : value);
      }
      return items;
    };
    const event = () => ({
      name: text(),
      seconds: numbers[at++],
      perDay: numbers[at++],
      knownSeconds: numbers[at++],
    });
    const reason = () => ({
      feature: text(),
      unit: text(),
      observed: number(),
      median: number(),
      p5: number(),
      p95: number(),
      share: numbers[at++],
      event: numbers[at++] === 1 ? event() : null,
    });
    const change = () => ({
      feature: text(),
      unit: text(),
      value: numbers[at++],
      below: FLAGS[numbers[at++]],
      seconds: number(),
    });
    const baseline = () => ({
      nats: numbers[at++],
      strangeness: numbers[at++],
      threshold: numbers[at++],
      suspect: FLAGS[numbers[at++]],
      levelShift: FLAGS[numbers[at++]],
      holdSeconds: numbers[at++],
      normalIf: numbers[at++] === 1 ? change() : null,
    });
    const window = () => ({
      scope: SCOPES[numbers[at++]],
      device: devices[numbers[at++]],
      endMs: numbers[at++],
      records: numbers[at++],
      state: STATES[numbers[at++]],
      score: number(),
      threshold: number(),
      suspect: FLAGS[numbers[at++]],
      forestSuspect: FLAGS[numbers[at++]],
      rebooted: FLAGS[numbers[at++]],
      baseline: numbers[at++] === 1 ? baseline() : null,
      features: numberList(),
      reasons: list(reason),
      isAnomaly: flag(),
      anomalyType: textOrNull(),
      record: number(),
      lineEnd: numbers[at++],
    });
    const record = () => ({
      timestampMs: numbers[at++],
      device: devices[numbers[at++]],
      values: numberList(),
      errorCode: textOrNull(),
      isAnomaly: flag(),
      anomalyType: textOrNull(),
      suspect: FLAGS[numbers[at++]],
      lineEnd: numbers[at++],
    });
    return { consumedBytes: numbers[at++], newestMs: number(), windows: list(window), records: list(record) };
  };
})();
