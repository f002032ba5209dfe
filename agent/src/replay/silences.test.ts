/** Silence in lines that were written long ago. */
import { describe, expect, it } from 'vitest';
import { EventSilences } from './silences.js';

/** Windows of a device, one a second, and the gateway's beside them; `gatewayMs` where its time is another. */
function speak(silences: EventSilences, device: string, from: number, to: number, gatewayFrom = from) {
  for (let second = from; second < to; second++) {
    const ended = silences.see(device, second * 1000);
    if (ended) return ended;
    silences.see('*', (gatewayFrom + second - from) * 1000);
  }
  return null;
}

describe('silences of an event time', () => {
  it('end when the device speaks again, and count from its last word', () => {
    const silences = new EventSilences();
    speak(silences, 'a', 0, 20);
    expect(speak(silences, 'a', 79, 80)).toMatchObject({ device: 'a', endMs: 19_000, silentMs: 60_000 });
    expect(speak(silences, 'a', 80, 100)).toBeNull();
    expect(silences.atEnd()).toEqual([]);
  });

  it('are none of a device that speaks within a minute, or whose clock was set back', () => {
    const silences = new EventSilences();
    speak(silences, 'a', 1000, 1020);
    expect(speak(silences, 'a', 1078, 1080)).toBeNull();
    expect(speak(silences, 'a', 10, 40)).toBeNull();
  });

  it('last to the end of the lines when others go on', () => {
    const silences = new EventSilences();
    speak(silences, 'a', 0, 20);
    speak(silences, 'b', 0, 120);
    expect(silences.atEnd()).toMatchObject([{ device: 'a', silentMs: 100_000 }]);
  });

  it('are none where files of one device each follow one another', () => {
    const silences = new EventSilences();
    speak(silences, 'a', 0, 300);
    speak(silences, 'b', 0, 300, 300);
    expect(silences.atEnd()).toEqual([]);
  });

  it('are none because of one clock that runs ahead', () => {
    const silences = new EventSilences();
    speak(silences, 'a', 0, 20);
    silences.see('ahead', 5_000_000);
    silences.see('*', 5_000_000);
    speak(silences, 'a', 21, 60, 5000);
    expect(silences.atEnd()).toEqual([]);
  });

  it('are none after a burst in a line that reports every 90 s', () => {
    const silences = new EventSilences();
    let endMs = 0;
    const gaps = [...Array(200).fill(90_000), ...Array(40).fill(2000), ...Array(40).fill(90_000)];
    const ended = gaps.map((gapMs: number) => {
      endMs += gapMs;
      silences.see('*', endMs);
      return silences.see('a', endMs);
    });
    expect(ended.filter((silence) => silence !== null)).toEqual([]);
    expect(silences.atEnd()).toEqual([]);
  });
});
