/** How a fleet stands at a moment, judged bit by bit as the collector does, for tests. */
import type { AgentView } from '@lineheron/models';
import type { Fleet } from './fleet.js';
import { Standings } from './standings.js';

interface Judge {
  standings: Standings;
  at: { nowMs: number; connected: boolean };
}

const judges = new WeakMap<Fleet, Judge>();

export function standingsOf(fleet: Fleet, nowMs: number, connected = true): Standings {
  const known = judges.get(fleet) ?? newJudge(fleet);
  judges.set(fleet, known);
  Object.assign(known.at, { nowMs, connected });
  known.standings.refresh();
  return known.standings;
}

/** All agents with all their lines, by name. */
export function viewsOf(fleet: Fleet, nowMs: number, connected = true): AgentView[] {
  const standings = standingsOf(fleet, nowMs, connected);
  return fleet.agentIds.map((id) => {
    const agent = fleet.get(id)!;
    const lines = [...agent.lines.values()].sort((a, b) => (a.device < b.device ? -1 : 1));
    return { ...standings.agent(agent), devices: lines.map((line) => standings.line(line)) };
  });
}

function newJudge(fleet: Fleet): Judge {
  const at = { nowMs: 0, connected: true };
  const standings = new Standings({
    fleet,
    now: () => at.nowMs,
    connected: () => at.connected,
    alertOf: () => null,
  });
  return { standings, at };
}
