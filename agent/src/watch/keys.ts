/** Single keys from a terminal: Space pauses and goes on, q and Ctrl-C end. Does nothing where there is no terminal. */
import type { Surroundings } from '../commands/command.js';

export interface Keys {
  readonly paused: boolean;
  stop(): void;
}

/** `onPause` hears of every change; `onEnd` of the wish to end. */
export function watchKeys(
  stdin: Surroundings['stdin'],
  onPause: (paused: boolean) => void,
  onEnd: () => void,
): Keys {
  let paused = false;
  const terminal = stdin as Surroundings['stdin'] & { setRawMode?: (raw: boolean) => void };
  const raw = stdin.isTTY === true && terminal.setRawMode !== undefined;
  const pressed = (bytes: Buffer) => {
    for (const key of bytes.toString('utf8')) {
      if (key === 'q' || key === '\u0003' || key === '\u0004') onEnd();
      if (key !== ' ') continue;
      paused = !paused;
      onPause(paused);
    }
  };
  if (raw) {
    terminal.setRawMode!(true);
    stdin.on('data', pressed);
    stdin.resume();
  }
  return {
    get paused() {
      return paused;
    },
    stop: () => {
      if (!raw) return;
      stdin.off('data', pressed);
      terminal.setRawMode!(false);
      stdin.pause();
    },
  };
}
