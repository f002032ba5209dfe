/** What `init` needs to know, and the configuration that comes of it. Pure. */
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import type { FormatConfig } from '../config-format.js';
import { parseConfig } from '../config-load.js';

export const SOURCES = ['tail', 'syslog', 'probe', 'host', 'stdin', 'generate'] as const;
export type SourceChoice = (typeof SOURCES)[number];

export interface Answers {
  agentId: string;
  dataDir: string;
  mqttUrl: string;
  username: string | null;
  /** Goes into a file of its own beside the configuration. */
  password: string | null;
  /** A file that holds it already. */
  passwordFile: string | null;
  caFile: string | null;
  source: SourceChoice;
  /** Of a tail. */
  paths: string[];
  /** Of a tail: where a file seen for the first time begins. */
  from: 'start' | 'end';
  /** Of a source of lines; null: the source's own. */
  format: FormatConfig | null;
  /** Of a syslog listener, for UDP and TCP alike. */
  listen: string;
  /** Of a probe: `name=icmp:192.0.2.1` each. */
  targets: string[];
}

/** Where the password goes, beside the configuration. */
export const PASSWORD_FILE = 'mqtt-password';

const HEAD = `# lineheron agent. lineheron-agent.example.yaml explains every setting; "lineheron-agent config check" says whether
# this file is right, "lineheron-agent doctor" whether everything else is.
`;

/** `127.0.0.1:5514` or a port alone, which listens on this machine only. */
function listener(text: string): object {
  const at = text.lastIndexOf(':');
  const port = Number(text.slice(at + 1));
  const host = at < 0 ? {} : { host: text.slice(0, at).replaceAll(/^\[|\]$/g, '') };
  return { ...host, udp_port: port, tcp_port: port };
}

/** `modem=icmp:192.0.2.1`, `web=https://example.org/`, `dns=dns:192.0.2.53/example.org`, `gw=192.0.2.1:443`. */
function target(text: string): object {
  const [, name, what = ''] = /^(?:([^=]+)=)?(.*)$/.exec(text)!;
  const named = (fallback: string) => ({ name: name ?? fallback });
  if (/^https?:\/\//.test(what))
    return { ...named(new URL(what).host.replaceAll(':', '-')), type: 'http', url: what };
  const [, kind = 'tcp', rest = ''] = /^(?:(icmp|tcp|dns):)?(.*)$/.exec(what)!;
  if (kind === 'dns') {
    const [server = '', query = 'example.org'] = rest.split('/');
    return { ...named(server), type: kind, server, query };
  }
  const isTcp = kind === 'tcp' && /:\d+$/.test(rest);
  return { ...named(rest.replace(/:\d+$/, '')), type: isTcp ? 'tcp' : 'icmp', address: rest };
}

/** The agent may be started from another folder. What is empty stays wrong. */
const absolute = (path: string) => (path === '' ? '' : resolve(path));

function sourceOf({ source, paths, from, format, listen, targets }: Answers): object {
  const formatted = format === null ? {} : { format };
  switch (source) {
    case 'tail':
      return { type: source, paths: paths.map(absolute), from, ...formatted };
    case 'syslog':
      return { type: source, ...listener(listen), ...formatted };
    case 'probe':
      return { type: source, targets: targets.map(target) };
    case 'stdin':
      return { type: source, ...formatted };
    default:
      return { type: source };
  }
}

/** The file's text. Throws ConfigError when an answer cannot be right. */
export function configText(answers: Answers): string {
  const { username, password, passwordFile, caFile } = answers;
  const file = passwordFile ?? (password === null ? null : PASSWORD_FILE);
  const config = {
    agent_id: answers.agentId,
    data_dir: absolute(answers.dataDir),
    mqtt: {
      url: answers.mqttUrl,
      ...(username === null ? {} : { username }),
      ...(file === null ? {} : { password_file: file }),
      ...(caFile === null ? {} : { ca_file: caFile }),
    },
    source: sourceOf(answers),
  };
  const text = `${HEAD}\n${stringify(config)}`;
  parseConfig(text);
  return text;
}

/** What is wrong with one answer, in a sentence; undefined when nothing is. */
export function wrong(answers: Answers, changed: Partial<Answers>): string | undefined {
  try {
    configText({ ...answers, ...changed });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The format with a name for lines that have none. */
export function withDevice(format: FormatConfig, device: string): FormatConfig {
  const object = typeof format === 'string' ? { type: format } : format;
  return { ...object, device_id: device } as FormatConfig;
}
