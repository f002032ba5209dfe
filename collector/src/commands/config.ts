/** `config check` says whether a configuration is right. */
import { EXIT, UsageError } from '@lineheron/models/command-line';
import { strayEnvironment } from '../config.js';
import { type Command, configArgs, configFile, readConfig } from './command.js';

export const config: Command = {
  name: 'config',
  description: 'Check the configuration',
  args: { what: { type: 'positional', valueHint: 'check', description: 'What to do' }, ...configArgs },
  words: { min: 1, max: 1 },
  help: `Reads file, environment, --set and options as run does, tells every wrong key with its path, and touches nothing else.

EXAMPLE

  lineheron-collector config check --config collector.yaml`,
  async perform(given, around) {
    const [what] = given._;
    if (what !== 'check') throw new UsageError(`config: unknown word "${what}"; there is: check`);
    const { http, mqtt, data_dir } = readConfig(given, around);
    for (const stray of strayEnvironment(around.environment)) around.note(`${stray}\n`);
    const file = configFile(given, around) ?? 'no file, so all defaults';
    const broker = mqtt.url ?? `its own broker on ${mqtt.host}:${mqtt.port}`;
    around.out(
      `${file}: right: serves http://${http.host}:${http.port}, uses ${broker}, keeps its data in ${data_dir}\n`,
    );
    return EXIT.ok;
  },
};
