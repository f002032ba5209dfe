/** An evaluation for people, as plain text. Pure. */
import type { EvaluationResult, MethodResult } from './evaluate.js';
import { FIGURES } from './figures.js';
import { refusals } from './records.js';

const HEADS: Readonly<Record<(typeof FIGURES)[number], string>> = {
  auc: 'ROC-AUC',
  ap: 'AP',
  f1: 'best F1',
  precision_at_threshold: 'precision',
  recall_at_threshold: 'recall',
  f1_at_threshold: 'F1',
  event_recall_day: 'events 1/d',
  event_recall_week: 'events 1/w',
  delay_p50_s: 'delay p50 s',
  delay_p90_s: 'p90 s',
  false_episodes_day: 'false/d',
};

function cell(middle: number, spread: number, seeds: number, digits: number): string {
  if (Number.isNaN(middle)) return '–';
  return seeds > 1 ? `${middle.toFixed(digits)} ±${spread.toFixed(digits)}` : middle.toFixed(digits);
}

/** Rows of cells as columns, the first one left, the others right. */
export function columnsText(table: readonly (readonly string[])[]): string {
  const widths = table[0]!.map((_, at) => Math.max(...table.map((row) => row[at]!.length)));
  const line = (row: readonly string[]) =>
    row.map((text, at) => (at === 0 ? text.padEnd(widths[at]!) : text.padStart(widths[at]!))).join('  ');
  return `${table.map(line).join('\n')}\n`;
}

function methodRow({ method, mean, sd }: MethodResult, seeds: number): string[] {
  const cells = FIGURES.map((figure) => cell(mean[figure], sd[figure], seeds, figure.endsWith('_s') ? 0 : 3));
  return [method, ...cells];
}

export function evaluationText({ files, methods, seeds }: EvaluationResult): string {
  const [rows, anomalous] = [
    files.reduce((sum, file) => sum + file.rows, 0),
    files.reduce((sum, file) => sum + file.anomalous, 0),
  ];
  const modes = [...new Set(files.map(({ mode }) => mode))].join(', ');
  const head = `${files.length === 1 ? files[0]!.name : `${files.length} files, means over them`} (${modes}): ${rows} rows judged, ${anomalous} anomalous`;
  const table = [
    ['', ...FIGURES.map((figure) => HEADS[figure])],
    ...methods.map((row) => methodRow(row, seeds)),
  ];
  const note =
    'precision, recall, F1, delay and false/d: at the threshold of the alert budget; events: recall at one false episode a day, a week';
  const left = files
    .filter(({ refused }) => Object.keys(refused ?? {}).length > 0)
    .map(({ name, refused }) => `${name}: lines left out${refusals(refused!)}\n`);
  return `${head}\n\n${columnsText(table)}\n${note}\n${left.join('')}`;
}
