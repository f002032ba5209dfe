/**
 * Retrained forests: each waits at its agent, which found the drift and fitted it, and goes to work there when a
 * person accepts it here.
 */
import type { AgentDrift, AgentInfo, ModelCandidate, ModelEvent, Scope } from '@lineheron/models';
import { type AgentRequestParts, AgentRequests } from './agent-requests.js';
import { ProblemError } from './http/problem.js';

export class ForestCandidates {
  private readonly requests: AgentRequests<ModelEvent>;

  constructor(
    parts: AgentRequestParts,
    private readonly infos: () => readonly AgentInfo[],
  ) {
    this.requests = new AgentRequests(parts);
  }

  /** What the agents tell, the farthest from its training first. */
  drift(): Array<AgentDrift & { scope: Scope }> {
    const farness = ({ psi, bound }: AgentDrift) => (psi ?? 0) / (bound ?? 1);
    return this.infos()
      .flatMap(({ agent, drift = [] }) => drift.map((one) => ({ agent, ...one })))
      .sort((a, b) => farness(b) - farness(a));
  }

  view(): ModelCandidate[] {
    return this.infos().flatMap(({ agent, candidates = [] }) =>
      candidates.map((candidate) => ({ ...candidate, agents: 1, agent })),
    );
  }

  /** Has the agent put it to work; false when no agent has one of that checksum. Throws ProblemError when it does not. */
  async accept(sha256: string): Promise<boolean> {
    const agent = this.view().find((candidate) => candidate.sha256 === sha256)?.agent;
    if (!agent) return false;
    const event = await this.requests.ask(agent, (id) => ({
      v: 1,
      type: 'use_candidate',
      request_id: id,
      sha256,
    }));
    if (!event.accepted) throw new ProblemError('not_found', `${agent}: ${event.message}`);
    return true;
  }

  /** An agent's answer. */
  hear(agent: string, event: ModelEvent): void {
    this.requests.hear(agent, event);
  }
}
