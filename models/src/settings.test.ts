import { expect, it } from 'vitest';
import { ACTIVE_MODELS, DETECTORS } from './detector.js';
import { budgetOfDetector } from './settings.js';

it('the parts of the budget that the ensemble gives its detectors are no more than the budget together', () => {
  const parts = DETECTORS.map((detector) => budgetOfDetector(detector, 'ensemble', 0.2));
  expect(parts.every((part) => part > 0)).toBe(true);
  expect(parts.reduce((sum, part) => sum + part)).toBeCloseTo(0.2, 12);
});

it('a detector that is heard alone has the whole budget', () => {
  for (const active of ACTIVE_MODELS.filter((model) => model !== 'ensemble'))
    for (const detector of DETECTORS) expect(budgetOfDetector(detector, active, 0.2)).toBe(0.2);
});
