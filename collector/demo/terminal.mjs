/** One line a step on the terminal: a running clock where it is a terminal, plain lines where it is not. */

const useColour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (useColour ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint('1');
export const dim = paint('2');
export const green = paint('32');
export const red = paint('31');
export const yellow = paint('33');

const NAME_WIDTH = 12;
const row = (mark, name, text) => `${mark} ${name.padEnd(NAME_WIDTH)} ${text}`;

export const say = (name, text) => console.log(row(green('✓'), name, text));
export const warn = (name, text) => console.log(row(yellow('!'), name, text));
export const complain = (name, text) => console.error(row(red('✗'), name, text));

/** Shows that something long is going on; `end` replaces the clock by the last word. */
export function progress(name, text) {
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(0);
  let detail = text;
  const draw = () =>
    process.stdout.write(`\r\u001b[2K${row('…', name, `${detail} ${dim(`${seconds()} s`)}`)}`);
  const timer = process.stdout.isTTY ? setInterval(draw, 500) : null;
  if (timer) draw();
  else console.log(row('…', name, detail));
  const clear = () => {
    if (!timer) return;
    clearInterval(timer);
    process.stdout.write('\r\u001b[2K');
  };
  return {
    update(next) {
      if (next === detail) return;
      detail = next;
      if (!timer) console.log(row('…', name, detail));
    },
    end(last) {
      clear();
      say(name, `${last} ${dim(`(${seconds()} s)`)}`);
    },
    fail(last) {
      clear();
      complain(name, last);
    },
  };
}

const STORAGE = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'the disk quota is used up: free some space',
  ENOENT:
    'the folder cannot be made there: is the file system read-only? Choose another (LINEHERON_STATE_DIR)',
  EROFS: 'the file system is read-only: choose a folder that can be written (LINEHERON_STATE_DIR)',
  EACCES:
    'this user may not write there: choose another folder (LINEHERON_STATE_DIR) or mend its permissions',
  EPERM: 'this user may not write there: choose another folder (LINEHERON_STATE_DIR) or mend its permissions',
};

/** What to do about a fault of a disk, with where it is; null for another error. */
export function storageAdvice(error) {
  const advice = STORAGE[error?.code];
  return advice ? `${error.path ?? 'the state folder'}: ${advice}` : null;
}
