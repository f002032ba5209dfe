/** What a replay sees in files before it judges them: direction, times, order of dates, encodings. */
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { Engine } from '@lineheron/native';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../exit-code.js';
import { withInputs } from './input.js';
import { type Surveyed, survey } from './survey.js';

const AS_OF = Date.parse('2026-11-30T00:00:00Z');
const DOCSIS = { type: 'docsis', device_id: 'm' };
const PING = { type: 'text', device_id: 'a', patterns: ['time=(?P<latency_ms>[0-9.]+) ms'] };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-survey-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Looks at files with these contents, and gives what would be read of them. */
async function look(format: object | null, ...contents: (string | Buffer)[]) {
  const names = contents.map((_, index) => join(folder, `${index}.log`));
  for (const [index, content] of contents.entries()) {
    await writeFile(names[index]!, content);
    await utimes(names[index]!, AS_OF / 1000, AS_OF / 1000);
  }
  const engine = new Engine();
  const number = format ? engine.addFormat(JSON.stringify(format)) : 0;
  return withInputs(names, Readable.from([]), async (files) => {
    const surveyed = await survey(files, { engine, format: number, asOfMs: null });
    return { surveyed, text: await read(surveyed) };
  });
}

async function read({ files }: Surveyed): Promise<string> {
  const blocks: Buffer[] = [];
  for (const file of files) for await (const block of file.blocks()) blocks.push(block);
  return Buffer.concat(blocks).toString();
}

const docsis = (time: string) => `${time}\t82000200\t3\tT3 time-out\n`;

describe('survey', () => {
  it('turns a page round that is newest first, and leaves one that is not', async () => {
    const lines = ['11/20/2026 18:02:11', '11/20/2026 18:01:58', '11/20/2026 17:20:00'].map(docsis);
    const { surveyed, text } = await look(DOCSIS, lines.join(''));
    expect(surveyed.files[0]?.order).toBe('turned_round');
    expect(text).toBe(lines.toReversed().join(''));
    const forward = await look(DOCSIS, text);
    expect(forward.surveyed.files[0]?.order).toBe('as_written');
    expect(forward.text).toBe(text);
  });

  it('keeps a long log whose clock was set back once as it is written', async () => {
    const minute = (index: number) => new Date(AS_OF - 86_400_000 + index * 60_000).toISOString();
    const all = [...Array(120).keys(), ...Array.from({ length: 60 }, (_, index) => index + 60)];
    const lines = all.map((index) => `{"timestamp":"${minute(index)}","device_id":"d"}\n`).join('');
    expect((await look(null, lines)).text).toBe(lines);
  });

  it('finds the order of the dates that any line shows', async () => {
    const days = ['09/10/2026', '10/10/2026', '11/10/2026', '12/10/2026', '13/10/2026', '01/11/2026'];
    const { surveyed } = await look(DOCSIS, days.map((day) => docsis(`${day} 07:15:00`)).join(''));
    expect(surveyed.files[0]?.found.dateOrder).toBe('day_first');
    expect(surveyed.files[0]?.order).toBe('as_written');
  });

  it('reads files that were named newest first oldest first', async () => {
    const [old, recent] = [docsis('2026-11-19 10:00:00'), docsis('2026-11-20 10:00:00')];
    const { surveyed, text } = await look(DOCSIS, recent, old);
    expect(surveyed.filesReordered).toBe(true);
    expect(text).toBe(old + recent);
  });

  it('refuses lines that do not say when they happened, and says what to do', async () => {
    const pings = '64 bytes: time=3.1 ms\n'.repeat(3982);
    const refused = { code: EXIT.data, message: expect.stringMatching(/none of 3982.*\n.*ping -D/) };
    await expect(look(PING, pings)).rejects.toMatchObject(refused);
    await expect(look(null, '{"device_id":"a","latency_ms":3}\n'.repeat(30))).rejects.toThrow('none of 30');
  });

  it('takes dates above the lines for their times, for a minute of lines each', async () => {
    const pings = '64 bytes: time=3.1 ms\n';
    await look(PING, `Fri Nov 20 12:00:00 UTC 2026\n${pings.repeat(50)}`);
    await expect(look(PING, `Fri Nov 20 12:00:00 UTC 2026\n${pings.repeat(3982)}`)).rejects.toThrow(
      'only 60',
    );
  });

  it('reads UTF-16 and packed UTF-16 as text', async () => {
    const text = docsis('2026-11-19 10:00:00') + docsis('2026-11-19 10:00:01');
    const little = Buffer.from(`\ufeff${text}`, 'utf16le');
    for (const bytes of [
      little,
      Buffer.from(little).swap16(),
      gzipSync(little),
      Buffer.from(text, 'utf16le'),
    ])
      expect((await look(DOCSIS, bytes)).text).toBe(text);
  });
});
