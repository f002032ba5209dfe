/** What `init` needs to know, and the configuration that comes of it. Pure. */
import { stringify } from 'yaml';
import { parseConfig } from '../config-load.js';

export const SOURCES = ['tail', 'host', 'generate'] as const;
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
}

/** Where the password goes, beside the configuration. */
export const PASSWORD_FILE = 'mqtt-password';

const HEAD = `# lineheron agent. lineheron-agent.example.yaml explains every setting; "lineheron-agent config check" says whether
# this file is right, "lineheron-agent doctor" whether everything else is.
`;

/** The file's text. Throws ConfigError when an answer cannot be right. */
export function configText(answers: Answers): string {
  const { username, password, passwordFile, caFile, source, paths } = answers;
  const file = passwordFile ?? (password === null ? null : PASSWORD_FILE);
  const config = {
    agent_id: answers.agentId,
    data_dir: answers.dataDir,
    mqtt: {
      url: answers.mqttUrl,
      ...(username === null ? {} : { username }),
      ...(file === null ? {} : { password_file: file }),
      ...(caFile === null ? {} : { ca_file: caFile }),
    },
    source: source === 'tail' ? { type: source, paths } : { type: source },
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
