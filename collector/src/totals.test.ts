import { describe, expect, it } from 'vitest';
import { Totals } from './totals.js';

describe('Totals', () => {
  it('stores every count exactly once, also those that come while a commit is under way', () => {
    const totals = new Totals();
    totals.restore({ windows: 10, refused: 1 });
    totals.count('refused');
    const own = { windows: 5 };
    const due = totals.due(own);
    expect(due).toMatchObject({ windows: 5, refused: 1 });
    totals.count('refused');
    totals.committed(due, own);
    expect(totals.view).toMatchObject({ windows: 15, refused: 3 });
    expect(totals.due({})).toMatchObject({ windows: 0, refused: 1 });
  });

  it('keeps counts waiting when a commit fails', () => {
    const totals = new Totals();
    totals.count('duplicates', 2);
    totals.due({ windows: 5 });
    expect(totals.due({})).toMatchObject({ duplicates: 2, windows: 0 });
  });
});
