/**
 * Asking an agent for the raw lines around an alert: a command goes out, an event with its id comes back, or the time
 * is up. Nothing of it is kept here. Bounded in questions at once.
 */
import { type Command, type LinesEvent, topics } from '@lineheron/models';
import { ProblemError } from './http/problem.js';

export interface LineRequestParts {
  newId: () => string;
  isOnline: (agent: string) => boolean;
  publish: (topic: string, command: Command) => void;
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const MAX_WAITING = 100;

export class LineRequests {
  private readonly waiting = new Map<string, { agent: string; answered: (event: LinesEvent) => void }>();

  constructor(private readonly parts: LineRequestParts) {}

  /** Resolves to what the agent sent. Throws ProblemError when it is away, says no, has nothing, or stays silent. */
  async ask(agent: string, alert: string): Promise<LinesEvent> {
    const { newId, isOnline, publish, timeoutMs = TIMEOUT_MS } = this.parts;
    if (!isOnline(agent))
      throw new ProblemError('agent_offline', `${agent} is not online: ask again when it is.`);
    if (this.waiting.size >= MAX_WAITING)
      throw new ProblemError('not_ready', 'Too many agents are being asked at once: try again in a moment.');
    const id = newId();
    const event = await new Promise<LinesEvent | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), timeoutMs);
      const answered = (answer: LinesEvent) => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.waiting.set(id, { agent, answered });
      publish(topics.command(agent), { v: 1, type: 'send_lines', request_id: id, alert });
    });
    this.waiting.delete(id);
    if (!event)
      throw new ProblemError('agent_silent', `${agent} gave no answer within ${timeoutMs / 1000} s.`);
    if (event.state === 'refused') throw new ProblemError('not_shared', `${agent}: ${event.message}`);
    if (event.state === 'missing') throw new ProblemError('not_found', `${agent}: ${event.message}`);
    return event;
  }

  /** An answer; one that nobody waits for, or of another agent, is left. */
  hear(agent: string, event: LinesEvent): void {
    const waiting = this.waiting.get(event.request_id);
    if (waiting?.agent === agent) waiting.answered(event);
  }
}
