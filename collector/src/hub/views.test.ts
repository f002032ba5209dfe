/** What a window's view says of the baseline. */
import { windowViewSchema } from '@lineheron/models';
import { expect, it } from 'vitest';
import { makeBatch, makeWindow, START_MS } from '../testing/messages.js';
import { windowView } from './views.js';

const judged = {
  opinion: { forest: false, baseline: false },
  autoencoder: null,
  anomalous: false,
  alert: null,
};

it.each([
  [4.5, { nats: 2, threshold: 13, strangeness: 4.5 }],
  [null, { nats: 2, threshold: 13 }],
])('has a strangeness of %s beside the surprise', (strangeness, baseline) => {
  const batch = makeBatch({ windows: [makeWindow({ baseline })] });
  const view = windowView(batch, { at: 0, index: 0 }, judged, new Date(START_MS).toISOString());
  expect(windowViewSchema.parse(view).adaptive_baseline).toEqual({
    ...{ score: 2, threshold: 13, suspect: false },
    strangeness,
  });
});
