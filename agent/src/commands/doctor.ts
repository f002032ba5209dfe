/** `doctor`: is everything as the agent needs it? One line a check, with what to do where something is wrong. */
import type { Config } from '../config.js';
import { ConfigError } from '../config-error.js';
import { schemaKeys } from '../config-keys.js';
import { strayEnvironment } from '../config-overrides.js';
import { checkBroker } from '../doctor/broker.js';
import { bad, type Finding, findingText, good, note } from '../doctor/finding.js';
import { checkClock, checkDisk, checkLock, checkSecrets } from '../doctor/machine.js';
import { checkSource } from '../doctor/sources.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { type Command, configArgs, type Given, type Surroundings } from './command.js';
import { configPath, readConfig } from './config-file.js';

/** All checks in turn, each told as soon as it is done. */
async function examine(path: string, config: Config, tell: (found: Finding[]) => void) {
  const nowMs = Date.now();
  tell(await checkSecrets(path, config));
  tell(await checkClock(nowMs));
  tell(await checkDisk(config));
  tell(await checkLock(config));
  tell(await checkBroker(config, nowMs));
  for (const source of config.sources) tell(await checkSource(config, source));
}

async function perform(given: Given, around: Surroundings): Promise<ExitCode> {
  const path = await configPath(given, around);
  const all: Finding[] = [];
  const tell = (found: Finding[]) => {
    all.push(...found);
    if (!given.flag('json')) for (const finding of found) around.out(findingText(finding));
  };
  const config = await readConfig(path, given, around).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    tell([bad(error.message, `mend ${path}; lineheron-agent config check looks again`)]);
    return null;
  });
  if (config) {
    tell([good(`${path} is right`)]);
    tell(
      strayEnvironment(around.environment, schemaKeys).map((stray) =>
        note(stray, 'mend its name, or unset it'),
      ),
    );
    await examine(path, config, tell);
  }
  const wrong = all.filter(({ level }) => level === 'bad').length;
  if (given.flag('json')) around.out(`${JSON.stringify({ v: 1, findings: all }, null, 2)}\n`);
  else around.out(wrong === 0 ? '\nall is well\n' : `\n${wrong} to mend\n`);
  if (!config) return EXIT.config;
  return wrong === 0 ? EXIT.ok : EXIT.findings;
}

export const doctor: Command = {
  name: 'doctor',
  description: 'Check configuration, broker, clock, disk and sources, and say what to do',
  args: { ...configArgs, json: { type: 'boolean', description: 'Print the findings as JSON' } },
  help: `✓ is right, · worth knowing, ✗ to be mended; the arrow says how. Best run as the user that the agent runs as. It
connects to the broker under a name of its own, asks for every topic that the agent uses (what it offers to publish is empty
and not retained), writes and removes one file in the data folder, and reads a first sample of every source as the agent does. Ends with 0 when nothing is to be mended, 2 when something is, 78 when the configuration is wrong.`,
  perform,
};
