/** How the programs end: one number an outcome, after sysexits.h where that has a word for it. */

export const EXIT = {
  ok: 0,
  failed: 1,
  findings: 2,
  usage: 64,
  data: 65,
  noInput: 66,
  unavailable: 69,
  cannotCreate: 73,
  busy: 75,
  noPermission: 77,
  config: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
