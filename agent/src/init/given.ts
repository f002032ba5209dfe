/** What the options of `init` answer, and what is usual where they do not. */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { isAgentId } from '@lineheron/models';
import type { Argument, Given } from '../commands/command.js';
import { type FormatConfig, formatSchema, yamlOrText } from '../config-format.js';
import { UsageError } from '../usage-error.js';
import { type Answers, SOURCES, type SourceChoice, withDevice } from './answers.js';

const DEFAULT_LISTEN = '127.0.0.1:5514';
const DEFAULT_BROKER = 'mqtt://127.0.0.1:1883';

const text = (valueHint: string, description: string) =>
  ({ type: 'string', valueHint, description }) as const;

/** The options that answer a question. */
export const answerArgs: Readonly<Record<string, Argument>> = {
  'agent-id': text('name', 'Name of this gateway; else this machine’s'),
  'data-dir': text('folder', 'For spool and models; /var/lib/lineheron-agent for root, else here'),
  'mqtt-url': text('url', `The broker; ${DEFAULT_BROKER}`),
  username: text('name', 'At the broker; none'),
  'password-file': text('file', 'Holds the password; none'),
  'ca-file': text('file', 'PEM: who signed the broker’s certificate'),
  source: {
    type: 'enum',
    options: [...SOURCES],
    description: 'What to read; by --path, --target or --listen, else host',
  },
  path: { ...text('file', 'A log file to follow; may be given again'), multiple: true },
  from: {
    type: 'enum',
    options: ['start', 'end'],
    description: 'Where to begin in files that are there already; start',
  },
  format: text('format', 'How the lines are written; of files found out by their first lines'),
  'device-id': text('name', 'The device of lines that name none; the name of the gateway'),
  listen: text('host:port', `Where a syslog source listens, UDP and TCP; ${DEFAULT_LISTEN}`),
  target: {
    ...text(
      'name=what',
      'What a probe asks: modem=icmp:192.0.2.1, web=https://example.org/, gw=192.0.2.1:443',
    ),
    multiple: true,
  },
};

/** An agent's name from this machine's. */
function ownName(): string {
  const name = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '-')
    .slice(0, 64);
  return isAgentId(name) ? name : 'gw-1';
}

/** The package's folder for root and the service; a folder of one's own for everybody else. */
function usualDataDir(): string {
  return process.getuid?.() === 0 ? '/var/lib/lineheron-agent' : resolve('lineheron-agent-data');
}

/** `--format` and `--device-id`; null when nothing is said. */
function formatGiven(given: Given): FormatConfig | null {
  const format = given.text('format');
  if (format === undefined) return null;
  const device = given.text('device-id');
  const parsed = formatSchema.safeParse(yamlOrText(format));
  if (!parsed.success) throw new UsageError(`init: --format "${format}" is no format: see native/FORMATS.md`);
  return device === undefined ? parsed.data : withDevice(parsed.data, device);
}

/** Throws UsageError. */
export function givenAnswers(given: Given): Answers {
  const paths = [...given.texts('path')];
  const targets = [...given.texts('target')];
  const listen = given.text('listen');
  const usual = paths.length > 0 ? 'tail' : targets.length > 0 ? 'probe' : listen ? 'syslog' : 'host';
  return {
    agentId: given.text('agent-id') ?? ownName(),
    dataDir: given.text('data-dir') ?? usualDataDir(),
    mqttUrl: given.text('mqtt-url') ?? DEFAULT_BROKER,
    username: given.text('username') ?? null,
    password: null,
    passwordFile: given.text('password-file') ?? null,
    caFile: given.text('ca-file') ?? null,
    source: (given.text('source') ?? usual) as SourceChoice,
    paths,
    targets,
    listen: listen ?? DEFAULT_LISTEN,
    from: given.text('from') === 'end' ? 'end' : 'start',
    format: formatGiven(given),
  };
}

/** What a source cannot do without, where nobody is asked. Throws UsageError. */
export function checkComplete({ source, paths, targets }: Answers): void {
  if (source === 'tail' && paths.length === 0) throw new UsageError('init: --source tail needs --path');
  if (source === 'probe' && targets.length === 0)
    throw new UsageError('init: --source probe needs --target, such as --target modem=icmp:192.0.2.1');
}
