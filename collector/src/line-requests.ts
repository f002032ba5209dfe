/** Asking an agent for the raw lines around an alert. */
import type { LinesEvent } from '@lineheron/models';
import { type AgentRequestParts, AgentRequests } from './agent-requests.js';
import { ProblemError } from './http/problem.js';

export class LineRequests {
  private readonly requests: AgentRequests<LinesEvent>;

  constructor(parts: AgentRequestParts) {
    this.requests = new AgentRequests(parts);
  }

  /** Resolves to what the agent sent. Throws ProblemError when it is away, says no, has nothing, or stays silent. */
  async ask(agent: string, alert: string): Promise<LinesEvent> {
    const event = await this.requests.ask(agent, (id) => ({
      v: 1,
      type: 'send_lines',
      request_id: id,
      alert,
    }));
    if (event.state === 'refused') throw new ProblemError('not_shared', `${agent}: ${event.message}`);
    if (event.state === 'missing') throw new ProblemError('not_found', `${agent}: ${event.message}`);
    return event;
  }

  hear(agent: string, event: LinesEvent): void {
    this.requests.hear(agent, event);
  }
}
