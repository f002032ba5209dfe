/** Late lines in words: what it probably was, and what to do about it. Shared by the agent's log and by `replay`. */

interface LateReason {
  what: string;
  todo: string;
}

const REASONS: Readonly<Record<string, LateReason>> = {
  newest_first: {
    what: 'the lines go back in time: the newest comes first',
    todo: 'turn the file round (tac)',
  },
  clock_set_back: {
    what: 'the clock of the device was set back',
    todo: 'let it set its clock by NTP; its lines are judged again after a minute or sixty of them',
  },
  daylight_saving: {
    what: 'the clock of the device was set back by an hour, as at the end of daylight saving',
    todo: 'give the format the time zone of the device (timezone: Europe/Berlin), or let it write UTC',
  },
  after_line_without_time: {
    what: 'a line without a usable time was stamped by arrival, and the clock of the device is behind',
    todo: 'write the time with each line, or set the clock of the device',
  },
  delayed: {
    what: 'they came long after newer ones of their device',
    todo: 'look for a delay on their way, or for two sources that name one device',
  },
};

/** What late records of a kind probably were, and what to do. */
export function lateReason(kind: string): LateReason {
  return REASONS[kind] ?? { what: 'they came too late', todo: 'look at their times' };
}
