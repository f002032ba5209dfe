/** The colours of a chart, read from the same roles as everything else on the page. */

export interface ChartPalette {
  readonly text: string;
  readonly grid: string;
  readonly threshold: string;
  readonly alert: string;
  readonly alertEdge: string;
  readonly truth: string;
  readonly surface: string;
  readonly series: readonly string[];
  readonly font: string;
}

/** Lines differ by their dash too, not by colour alone. Empty is a solid line. */
export const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

export function readPalette(style: Pick<CSSStyleDeclaration, 'getPropertyValue'>): ChartPalette {
  const role = (name: string) => style.getPropertyValue(`--lh-${name}`).trim();
  return {
    text: role('chart-text'),
    grid: role('chart-grid'),
    threshold: role('chart-threshold'),
    alert: role('chart-alert'),
    alertEdge: role('critical'),
    truth: role('chart-truth'),
    surface: role('surface'),
    series: [1, 2, 3, 4].map((n) => role(`series-${n}`)),
    font: role('font'),
  };
}
