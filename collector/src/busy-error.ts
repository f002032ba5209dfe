/** Another collector is at work where this one wants to be. The message says which, and what to do. */
export class BusyError extends Error {
  override name = 'BusyError';
}
