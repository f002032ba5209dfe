/** The arguments that the benchmarks against peers share. */
import { parseArgs } from 'node:util';

/** `--json FILE`, `--rounds N` (1 with `--quick`), `--seed N`, `--quick`. Throws on what is no number. */
export function readArguments() {
  const options = {
    json: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
  };
  const { json, rounds, seed, quick } = parseArgs({ options }).values;
  const numbers = { rounds: quick ? 1 : Number(rounds), seed: Number(seed) };
  if (!(numbers.rounds >= 1) || !Number.isSafeInteger(numbers.seed))
    throw new Error('--rounds or --seed is no number');
  return { json, quick, ...numbers };
}
