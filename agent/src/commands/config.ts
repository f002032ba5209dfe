/** `config check` says whether a configuration is right; `config schema` prints the schema that editors use. */
import { didYouMean } from '@lineheron/models/suggest';
import type { Config } from '../config.js';
import { configJsonSchema, schemaKeys } from '../config-keys.js';
import { strayEnvironment } from '../config-overrides.js';
import { EXIT } from '../exit-code.js';
import { UsageError } from '../usage-error.js';
import { type Command, configArgs } from './command.js';
import { configPath, readConfig } from './config-file.js';

const WHAT = ['check', 'schema'];

/** The schema as it is published, byte for byte. */
export function schemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** What a configuration comes to, in a line. No secret is in it. */
function summary({ agent_id, mqtt, data_dir, window_size_seconds: seconds }: Config): string {
  const as = mqtt.username === undefined ? '' : ` as ${mqtt.username}`;
  return `${agent_id} sends to ${mqtt.url}${as}, keeps its data in ${data_dir}, windows of ${seconds} s`;
}

/** Patterns and fields are checked by the engine itself. Throws ConfigError. */
async function tryFormats(read: Config): Promise<void> {
  const { addFormat, buildEngine } = await import('../parts.js');
  for (const source of read.sources) addFormat(buildEngine(read), source);
}

export const config: Command = {
  name: 'config',
  description: 'Check the configuration, or print its JSON Schema',
  args: {
    what: { type: 'positional', valueHint: 'check|schema', description: 'What to do' },
    ...configArgs,
  },
  words: { min: 1, max: 1 },
  help: `check reads file, environment, --set and secrets as run does, tells every wrong key with its path, and
touches nothing else: doctor looks at the broker, the disk and the sources.

EXAMPLES

  lineheron-agent config check --config agent.yaml
  lineheron-agent config schema > lineheron-agent.schema.json`,
  async perform(given, around) {
    const [what] = given._;
    if (what === 'schema') {
      around.out(schemaText());
      return EXIT.ok;
    }
    if (what !== 'check') {
      const hint = didYouMean(what ?? '', WHAT) || `; there are: ${WHAT.join(', ')}`;
      throw new UsageError(`config: unknown word "${what}"${hint}`);
    }
    const path = await configPath(given, around);
    const read = await readConfig(path, given, around);
    await tryFormats(read);
    for (const stray of strayEnvironment(around.environment, schemaKeys)) around.note(`${stray}\n`);
    around.out(`${path}: right: ${summary(read)}\n`);
    return EXIT.ok;
  },
};
