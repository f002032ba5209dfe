import { describe, expect, it } from 'vitest';
import { alert, at, T0, window } from '../testing/views.js';
import { alertBands, truthBands, visibleBands } from './band.js';

const T = T0 / 1000;

describe('bands of alerts', () => {
  it('reach from the opening to now while open, to the last suspect window when closed', () => {
    const closed = alert(0, { status: 'closed', last_suspect_at: at(7), closed_at: at(17) });
    expect(alertBands([alert(20), closed], 'gw-1/line-1', T + 33)).toEqual([
      { kind: 'alert', from: T + 20, to: T + 33 },
      { kind: 'alert', from: T, to: T + 7 },
    ]);
  });

  it('leave out other lines', () => {
    expect(
      alertBands([alert(0, { device: 'line-2' }), alert(0, { agent: 'gw-2' })], 'gw-1/line-1', T),
    ).toEqual([]);
  });

  it('never end before they begin, however the clocks stand', () => {
    expect(alertBands([alert(20)], 'gw-1/line-1', T)).toEqual([{ kind: 'alert', from: T + 20, to: T + 20 }]);
  });
});

describe('bands of ground truth', () => {
  const truth = (second: number, is_anomaly: boolean | null) => window(second, { is_anomaly });

  it('are the stretches of truly anomalous windows', () => {
    const windows = [truth(0, false), truth(1, true), truth(2, true), truth(3, false), truth(4, true)];
    expect(truthBands(windows)).toEqual([
      { kind: 'truth', from: T + 1, to: T + 2 },
      { kind: 'truth', from: T + 4, to: T + 4 },
    ]);
  });

  it('end at silence', () => {
    expect(truthBands([truth(0, true), truth(60, true)])).toHaveLength(2);
  });

  it('are none where the truth is unknown', () => {
    expect(truthBands([truth(0, null), truth(1, null)])).toEqual([]);
  });
});

describe('visible bands', () => {
  const band = (kind: 'alert' | 'truth', from: number, to: number) => ({ kind, from, to });

  it('are cut to the range, and what lies outside is left out', () => {
    const bands = [
      band('alert', 0, 20),
      band('alert', 0, 5),
      band('truth', 95, 200),
      band('alert', 120, 130),
    ];
    expect(visibleBands(bands, 10, 100)).toEqual([band('alert', 10, 20), band('truth', 95, 100)]);
  });

  it('of one kind that overlap become one; of two kinds they stay', () => {
    const bands = [band('alert', 30, 40), band('alert', 10, 32), band('truth', 15, 20)];
    expect(visibleBands(bands, 0, 100)).toEqual([band('alert', 10, 40), band('truth', 15, 20)]);
  });
});
