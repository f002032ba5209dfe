/** Silence in lines that were written long ago: every device has a clock of its own. */
import { describe, expect, it } from 'vitest';
import { EventClock } from './device-clock.js';
import { type Silence, Silences } from './silences.js';

/** Silences on event time, as the pipeline asks for them. */
class Told {
  private readonly clock = new EventClock(10);
  private readonly silences = new Silences(10);

  /** Windows of a device, one a second, and the gateway's beside them; `gatewayFrom` where its time is another. */
  speak(device: string, from: number, to: number, gatewayFrom = from): Silence | null {
    for (let second = from; second < to; second++) {
      const nowMs = this.clock.see(device, second * 1000);
      const silence = this.silences.overdueOf(device, nowMs);
      this.silences.see(device, second * 1000, '', nowMs);
      if (silence) return silence;
      this.clock.see('*', (gatewayFrom + second - from) * 1000);
    }
    return null;
  }

  atEnd(): Silence[] {
    return this.silences.overdue((device) => this.clock.of(device));
  }
}

describe('a silence on event time', () => {
  it('ends when the device speaks again, and is told as of the moment when it was due', () => {
    const told = new Told();
    told.speak('a', 0, 20);
    expect(told.speak('a', 179, 180)).toMatchObject({ device: 'a', endMs: 19_000, silentMs: 60_000 });
    expect(told.speak('a', 180, 200)).toBeNull();
    expect(told.atEnd()).toEqual([]);
  });

  it('is none of a device that speaks within a minute, or whose clock was set back', () => {
    const told = new Told();
    told.speak('a', 1000, 1020);
    expect(told.speak('a', 1078, 1080)).toBeNull();
    expect(told.speak('a', 10, 40)).toBeNull();
  });

  it('lasts to the end of the lines when others go on', () => {
    const told = new Told();
    told.speak('a', 0, 20);
    told.speak('b', 0, 120);
    expect(told.atEnd()).toMatchObject([{ device: 'a', silentMs: 60_000 }]);
  });

  it('is none where files of one device each follow one another', () => {
    const told = new Told();
    told.speak('a', 0, 300);
    told.speak('b', 0, 300, 300);
    expect(told.atEnd()).toEqual([]);
  });

  it('is none because of one clock that runs ahead', () => {
    const told = new Told();
    told.speak('a', 0, 20);
    told.speak('ahead', 5000, 5001);
    told.speak('a', 21, 60, 5000);
    expect(told.atEnd()).toEqual([]);
  });
});
