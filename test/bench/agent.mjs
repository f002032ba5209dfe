#!/usr/bin/env node
/**
 * `npm run bench:agent`: how many log lines a second the agent brings from a file to scores in both scopes, on one
 * core, beside rsyslog (imfile, mmjsonparse, to /dev/null) on the same file in the same run. The rounds of both are
 * interleaved; medians are told. Rates are by processor time, so that other work on the machine does not count; the
 * time by the clock stands beside it. Linux only: it reads /proc.
 *
 *   npm run bench:agent -- [--lines 1000000] [--rounds 3] [--json FILE] [--profile FOLDER]
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeResults } from './results.mjs';

const RUN = fileURLToPath(new URL('agent-run.mjs', import.meta.url));
const DEVICES = 100;
const RECORDS_A_SECOND = 10;
const TICKS_PER_SECOND = 100;
const RSYSLOG = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd'].find((path) => existsSync(path)) ?? null;
const PINNED = existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '-c', '0'] : [];
const DEADLINE_MS = 300_000;
const END = 'the-end';

const { values: options } = parseArgs({
  options: {
    lines: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
    profile: { type: 'string' },
  },
});
const lines = Number(options.lines);

/** Numbers that look random and are the same every time. */
function* noise() {
  for (let state = 1; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Canonical lines of many devices, in order of time. */
async function writeLines(path) {
  const random = noise();
  const next = () => random.next().value;
  const startMs = Date.now() - (lines / (DEVICES * RECORDS_A_SECOND)) * 1000 - 60_000;
  const out = createWriteStream(path);
  let block = '';
  for (let line = 0; line < lines; line++) {
    const round = Math.floor(line / DEVICES);
    const record = {
      timestamp: new Date(startMs + (round / RECORDS_A_SECOND) * 1000).toISOString(),
      device_id: `modem-${line % DEVICES}`,
      latency_ms: Math.round(20_000 + 10_000 * next()) / 1000,
      packet_loss_pct: next() < 0.05 ? Math.round(100 * next()) / 100 : 0,
      retry_count: next() < 0.1 ? 1 : 0,
      error_code: 200,
      traffic_volume_mb: Math.round(1000 + 1000 * next()) / 1000,
      connection_resets: next() < 0.02 ? 1 : 0,
    };
    block += `${JSON.stringify(record)}\n`;
    if (block.length < 1 << 20) continue;
    if (!out.write(block)) await once(out, 'drain');
    block = '';
  }
  out.end(block);
  await once(out, 'finish');
}

function agent(path, stage) {
  const profile = options.profile ? ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] : [];
  const [program, ...args] = [...PINNED, process.execPath, ...profile, RUN, path, String(lines), stage];
  return JSON.parse(execFileSync(program, args, { encoding: 'utf8', timeout: DEADLINE_MS }));
}

/** Seconds of processor time of a process so far. */
function cpuS(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** From its start until it has parsed the last line, which alone goes to a file. */
async function rsyslog(folder, path) {
  const work = mkdtempSync(join(folder, 'rsyslog-'));
  const done = join(work, 'done');
  const config = join(work, 'rsyslog.conf');
  writeFileSync(
    config,
    `global(workDirectory="${work}" maxMessageSize="64k")
module(load="imfile") module(load="mmjsonparse")
template(name="all" type="string" string="%$!all-json%\\n")
ruleset(name="bench") {
  action(type="mmjsonparse" cookie="")
  if $!device_id == "${END}" then { action(type="omfile" file="${done}" template="all") stop }
  action(type="omfile" file="/dev/null" template="all")
}
input(type="imfile" file="${path}" tag="bench:" ruleset="bench" reopenOnTruncate="off")
`,
  );
  const [program, ...args] = [...PINNED, RSYSLOG, '-n', '-f', config, '-i', join(work, 'pid')];
  const startMs = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes) => {
    said += bytes;
  });
  let used = 0;
  while (!(existsSync(done) && statSync(done).size > 0)) {
    if (child.exitCode !== null || performance.now() - startMs > DEADLINE_MS)
      throw new Error(`rsyslog did not come to the end: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (child.exitCode === null) used = cpuS(child.pid);
  }
  const wallS = (performance.now() - startMs) / 1000;
  child.kill('SIGTERM');
  await once(child, 'close');
  return { cpuS: used, wallS };
}

const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const rate = (runs, key) => lines / median(runs.map((run) => run[key]));
const perSecond = (value) => `${Math.round(value).toLocaleString('en-US')} lines/s`;

const folder = mkdtempSync(join(tmpdir(), 'lineheron-bench-agent-'));
try {
  const [own, theirs] = [join(folder, 'lines.jsonl'), join(folder, 'rsyslog.jsonl')];
  await writeLines(own);
  writeFileSync(theirs, Buffer.concat([readFileSync(own), Buffer.from(`{"device_id":"${END}"}\n`)]));
  const runs = { read: [], scores: [], batches: [], rsyslog: [] };
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const stage of ['read', 'scores', 'batches']) runs[stage].push(agent(own, stage));
    if (RSYSLOG) runs.rsyslog.push(await rsyslog(folder, theirs));
  }
  const [{ bytes, windows }] = runs.batches;
  console.log(
    `${lines.toLocaleString('en-US')} lines of ${Math.round(bytes / lines)} bytes, ${DEVICES} devices, ` +
      `${windows} windows put out; Node ${process.version}, ${cpus()[0]?.model}, one core, ${options.rounds} rounds\n`,
  );
  const peer = RSYSLOG ? rate(runs.rsyslog, 'cpuS') : null;
  const told = [
    ['file_to_lines', 'tail alone', runs.read, false],
    ['file_to_scores', 'tail and engine, every line scored in both scopes', runs.scores, true],
    ['file_to_batches', 'the same and the batches that are sent', runs.batches, true],
  ].map(([name, what, list, compared]) => {
    const value = rate(list, 'cpuS');
    console.log(
      `${what.padEnd(52)} ${perSecond(value).padStart(20)}  (by the clock ${perSecond(rate(list, 'wallS'))})`,
    );
    const ratio = compared && peer ? value / peer : null;
    return {
      name,
      value,
      unit: 'lines/s',
      peer: compared && peer ? 'rsyslog' : null,
      peer_value: compared ? peer : null,
      ratio,
    };
  });
  const what = 'rsyslog, imfile and mmjsonparse to /dev/null';
  if (peer)
    console.log(
      `${what.padEnd(52)} ${perSecond(peer).padStart(20)}  (by the clock ${perSecond(rate(runs.rsyslog, 'wallS'))})`,
    );
  else console.log('rsyslog is not installed: nothing to compare with');
  if (options.json) writeResults(options.json, told);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
