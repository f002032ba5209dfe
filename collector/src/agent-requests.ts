/**
 * Asking an agent for something: a command goes out, an event with its id comes back, or the time is up. Nothing of it
 * is kept here. Bounded in questions at once.
 */
import { type Command, topics } from '@lineheron/models';
import { ProblemError } from './http/problem.js';

export interface AgentRequestParts {
  newId: () => string;
  isOnline: (agent: string) => boolean;
  publish: (topic: string, command: Command) => void;
  /** Told of each question whether it was answered. */
  onAnswer?: (agent: string, answered: boolean) => void;
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const MAX_WAITING = 100;

export class AgentRequests<E extends { request_id?: string | undefined }> {
  private readonly waiting = new Map<string, { agent: string; answered: (event: E) => void }>();

  constructor(private readonly parts: AgentRequestParts) {}

  /** Resolves to what the agent answered. Throws ProblemError when it is away or stays silent. */
  async ask(agent: string, commandOf: (requestId: string) => Command): Promise<E> {
    const { newId, isOnline, publish, timeoutMs = TIMEOUT_MS } = this.parts;
    if (!isOnline(agent))
      throw new ProblemError('agent_offline', `${agent} is not online: ask again when it is.`);
    if (this.waiting.size >= MAX_WAITING)
      throw new ProblemError('not_ready', 'Too many agents are being asked at once: try again in a moment.');
    const id = newId();
    const event = await new Promise<E | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), timeoutMs);
      const answered = (answer: E) => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.waiting.set(id, { agent, answered });
      publish(topics.command(agent), commandOf(id));
    });
    this.waiting.delete(id);
    this.parts.onAnswer?.(agent, event !== null);
    if (!event)
      throw new ProblemError('agent_silent', `${agent} gave no answer within ${timeoutMs / 1000} s.`);
    return event;
  }

  /** An answer; one that nobody waits for, or of another agent, is left. */
  hear(agent: string, event: E): void {
    const waiting = event.request_id === undefined ? undefined : this.waiting.get(event.request_id);
    if (waiting?.agent === agent) waiting.answered(event);
  }
}
