/**
 * Everything that comes in by MQTT: checked for size, JSON and schema before anybody acts on it. What is bad is
 * counted and left. A command is carried out once, however often it is delivered.
 */
import {
  type Ack,
  ackSchema,
  type Command,
  commandSchema,
  type Desired,
  desiredSchema,
  FLEET,
  MAX_PACKET_BYTES,
  topics,
  type Verdict,
  verdictSchema,
} from '@lineheron/models';
import type { z } from 'zod';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';

export interface InboxHandlers {
  ack: (ack: Ack) => void;
  verdict: (verdict: Verdict) => void;
  desired: (whose: 'own' | 'fleet', desired: Desired | null) => void;
  command: (command: Command) => void;
}

const REMEMBERED_COMMANDS = 256;

export class Inbox {
  private readonly routes: ReadonlyMap<string, (payload: Buffer) => void>;
  /** Commands carried out, oldest first. */
  private readonly handled = new Set<string>();

  constructor(
    agent: string,
    private readonly handlers: InboxHandlers,
    private readonly log: Log,
    private readonly counters: Counters,
  ) {
    this.routes = new Map<string, (payload: Buffer) => void>([
      [topics.ack(agent), (payload) => this.checked(ackSchema, payload, handlers.ack)],
      [topics.verdict(agent), (payload) => this.checked(verdictSchema, payload, handlers.verdict)],
      [topics.desired(agent), (payload) => this.desired('own', payload)],
      [topics.desired(FLEET), (payload) => this.desired('fleet', payload)],
      [topics.command(agent), (payload) => this.command(payload)],
      [topics.command(FLEET), (payload) => this.command(payload)],
    ]);
  }

  get subscriptions(): string[] {
    return [...this.routes.keys()];
  }

  receive(topic: string, payload: Buffer): void {
    this.routes.get(topic)?.(payload);
  }

  /** An empty retained payload takes the wish back. */
  private desired(whose: 'own' | 'fleet', payload: Buffer): void {
    if (payload.length === 0) this.handlers.desired(whose, null);
    else this.checked(desiredSchema, payload, (desired) => this.handlers.desired(whose, desired));
  }

  private command(payload: Buffer): void {
    this.checked(commandSchema, payload, (command) => {
      const key = `${command.type} ${command.request_id}`;
      if (this.handled.has(key)) return;
      this.handled.add(key);
      if (this.handled.size > REMEMBERED_COMMANDS) {
        const [oldest] = this.handled;
        if (oldest !== undefined) this.handled.delete(oldest);
      }
      this.handlers.command(command);
    });
  }

  private checked<T>(schema: z.ZodType<T>, payload: Buffer, act: (value: T) => void): void {
    const raw = parseJson(payload);
    const result = schema.safeParse(raw);
    if (result.success) act(result.data);
    else this.refuse(result.error.issues[0]?.message ?? 'wrong shape');
  }

  private refuse(reason: string): void {
    this.counters.add('inbound_refused');
    this.log.debug({ reason }, 'left out a message');
  }
}

/** Undefined, which no schema here takes, when the payload is too large or no JSON. */
function parseJson(payload: Buffer): unknown {
  if (payload.length > MAX_PACKET_BYTES) return undefined;
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}
