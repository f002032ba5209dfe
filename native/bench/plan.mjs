/**
 * What the benchmark measures: each figure's name, unit, jobs for our side and for its peers, and how often.
 * The sizes of a quick run only show that everything works.
 */

const PEERS = ['scikit-learn', 'isotree'];

/** Figures of one width of rows; those of 15 features bear the plain names. */
function rowFigures(columns, files, quick, seed) {
  const suffix = columns === 15 ? '' : `_${columns}_features`;
  const common = { columns, fitFile: files.small, seed };
  // Fast work is done often enough to be timed; what takes seconds, once a round.
  const often = (own, peers) => (quick ? { own: Math.min(own, 200), peers: 1 } : { own, peers });
  const single = { 'scikit-learn': quick ? 3 : 60, isotree: quick ? 50 : 3000, River: quick ? 20 : 1000 };
  const withPeers = (name, unit, job, { own, peers }, names = PEERS) => ({
    name: `${name}${suffix}`,
    unit,
    ours: { ...common, ...job, calls: own },
    peers: names.map((peer) => ({ ...common, ...job, peer, calls: peers[peer] ?? peers })),
  });
  const batch = (threads) => ({ job: 'score_batch', file: files.large, threads });
  const fit = (file) => ({ job: 'fit', file });
  const figures = [
    withPeers('score_row', 'µs', { job: 'score_row' }, { own: quick ? 500 : 200_000, peers: single }, [
      ...PEERS,
      'River',
    ]),
    withPeers('score_batch', 'rows/s', batch(1), often(3, 1)),
    withPeers('score_batch_2_threads', 'rows/s', batch(2), often(3, 1)),
    withPeers('fit_1e4', 'µs', fit(files.small), often(50, 5)),
    withPeers('fit_1e6', 'µs', fit(files.large), often(10, 1)),
  ];
  const reasons = { ...common, job: 'reasons', calls: quick ? 200 : 20_000 };
  return [...figures, { name: `reasons${suffix}`, unit: 'µs', ours: reasons, peers: [] }];
}

/**
 * Lines to scored windows, every line scored by the forest in both scopes; the plain name is 100 devices at 10
 * records a second each. With the baseline every line is scored by that too, as the agent does.
 */
function lineFigures(quick, seed) {
  const figure = (suffix, devices, perSecond, count, baseline = false) => ({
    name: `lines_scored${suffix}`,
    unit: 'lines/s',
    ours: { job: 'lines', devices, perSecond, baseline, count: quick ? 2000 : count, seed },
    peers: [],
  });
  const plain = quick ? figure('', 5, 10, 2000) : figure('', 100, 10, 200_000);
  if (quick) return [plain];
  return [
    plain,
    figure('_with_baseline', 100, 10, 200_000, true),
    figure('_10_devices', 10, 10, 200_000),
    figure('_1000_devices', 1000, 2, 200_000),
    // At one record a second every line is due, so every line also makes a JavaScript object.
    figure('_each_put_out', 100, 1, 50_000),
  ];
}

/** Everything to measure; `files` has the rows of each width. */
export function plan(files, quick, seed) {
  const widths = quick ? [15] : [15, 19];
  const rows = widths.flatMap((columns) => rowFigures(columns, files[columns], quick, seed));
  return [
    ...rows.filter(({ name }) => !name.includes('_features')),
    ...lineFigures(quick, seed),
    ...rows.filter(({ name }) => name.includes('_features')),
  ];
}
