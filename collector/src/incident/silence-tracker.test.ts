/** When a silence is an alert: lines and agents that really pass through the fleet's memory. */
import { type Alert, alertSchema } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { Fleet } from '../hub/fleet.js';
import { makeInfo } from '../testing/messages.js';
import { SilenceTracker } from './silence-tracker.js';

const START_MS = Date.UTC(2026, 0, 1);
const BOOT = 'cccccccccccccccc';

class Story {
  readonly fleet = new Fleet();
  tracker = new SilenceTracker(BOOT);
  nowMs = START_MS;

  constructor() {
    this.fleet.setOnline('gw-1', true, this.nowMs);
    this.fleet.setInfo('gw-1', makeInfo(), this.nowMs);
  }

  /** So many seconds in which these devices report, and the gateway's window with them. */
  run(seconds: number, ...devices: string[]): Alert[] {
    const alerts: Alert[] = [];
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1000;
      const all = devices.length > 0 ? [...devices, '*'] : [];
      for (const device of all) {
        const scope = device === '*' ? ('gateway' as const) : ('device' as const);
        const line = { device, scope, state: 'scored' as const, judges: [], measured: true };
        this.fleet.seen('gw-1', { ...line, endMs: this.nowMs }, this.nowMs);
      }
      alerts.push(...this.look());
    }
    return alerts;
  }

  look(): Alert[] {
    const alerts = this.tracker.compare(this.fleet.hearings(this.nowMs), this.nowMs);
    this.tracker.accept(alerts);
    return alerts.map((alert) => alertSchema.parse(alert));
  }
}

describe('a device that falls silent', () => {
  it('opens one alert after a minute, since its last word, and closes it when it reports again', () => {
    const story = new Story();
    expect(story.run(100, 'modem-1', 'modem-2')).toEqual([]);
    expect(story.run(59, 'modem-2')).toEqual([]);
    const [alert, ...rest] = story.run(60, 'modem-2');
    expect(rest).toEqual([]);
    expect(alert).toMatchObject({
      agent: 'gw-1',
      device: 'modem-1',
      kind: 'silence',
      status: 'open',
      severity: 'warning',
      opened_at: new Date(START_MS + 100_000).toISOString(),
      summary: 'modem-1 has fallen silent: it usually reports every 1 s.',
      reasons: [{ feature: 'silence', unit: 's', observed: 60, median: 1 }],
    });
    expect(story.tracker.openAlert('gw-1', 'modem-1')).toBe(alert?.id);
    const closed = story.run(5, 'modem-1', 'modem-2');
    expect(closed).toMatchObject([{ id: alert?.id, status: 'closed' }]);
    expect(closed[0]?.closed_at).toBe(new Date(story.nowMs - 4000).toISOString());
    expect(closed[0]?.summary).toMatch(/It reports again\.$/);
    expect(story.tracker.open).toBe(0);
  });

  it('is told once for the gateway as a whole when all its devices fall silent together', () => {
    const story = new Story();
    story.run(100, 'modem-1', 'modem-2');
    const alerts = story.run(120);
    expect(alerts).toMatchObject([{ device: '*', scope: 'gateway', severity: 'critical' }]);
    // One of two comes back: the gateway speaks, and the other one is told by itself.
    expect(story.run(2, 'modem-1')).toMatchObject([
      { device: 'modem-2', kind: 'silence', status: 'open' },
      { device: '*', status: 'closed' },
    ]);
  });

  it('is none where the source came to its end, nor of a device heard too seldom', () => {
    const ended = new Story();
    ended.run(100, 'modem-1');
    const source = { type: 'tail', detail: 'a file', phase: 'ended' as const };
    ended.fleet.setInfo('gw-1', makeInfo({ source }), ended.nowMs);
    expect(ended.run(300)).toEqual([]);
    const seldom = new Story();
    seldom.run(5, 'modem-1');
    expect(seldom.run(300)).toEqual([]);
  });
});

describe('an agent that is away', () => {
  it('opens one alert and none of its lines, and closes it when it is back', () => {
    const story = new Story();
    story.run(100, 'modem-1', 'modem-2');
    story.fleet.setOnline('gw-1', false, story.nowMs);
    const alerts = story.run(300);
    expect(alerts).toMatchObject([{ kind: 'offline', device: '*', status: 'open', severity: 'critical' }]);
    expect(alerts[0]?.summary).toBe('The agent gw-1 is offline: nothing is known of its lines.');
    story.fleet.setOnline('gw-1', true, story.nowMs);
    expect(story.run(1, 'modem-1', 'modem-2')).toMatchObject([{ id: alerts[0]?.id, status: 'closed' }]);
    expect(story.run(120, 'modem-1', 'modem-2')).toEqual([]);
  });

  it('has its lines told of again only a minute after it came back without them', () => {
    const story = new Story();
    story.run(100, 'modem-1');
    story.fleet.setOnline('gw-1', false, story.nowMs);
    story.run(300);
    story.fleet.setOnline('gw-1', true, story.nowMs);
    expect(story.run(59)).toMatchObject([{ kind: 'offline', status: 'closed' }]);
    expect(story.run(2)).toMatchObject([{ device: 'modem-1', kind: 'silence', status: 'open' }]);
  });
});

describe('a restart of the collector', () => {
  it('takes up what is open, closes it with the next word, and opens nothing twice', () => {
    const before = new Story();
    before.run(100, 'modem-1', 'modem-2');
    const [open] = before.run(61, 'modem-2');
    const after = new Story();
    after.nowMs = before.nowMs;
    after.tracker = new SilenceTracker('dddddddddddddddd');
    after.tracker.restore([open!]);
    expect(after.look()).toEqual([]);
    expect(after.run(1, 'modem-1')).toMatchObject([{ id: open?.id, status: 'closed' }]);
  });
});
