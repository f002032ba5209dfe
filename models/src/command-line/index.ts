/** Command lines, their help and exit codes. For Node; browsers never load this. */
export * from './exit-code.js';
export * from './parse.js';
export { endDespiteLookups, runProgram } from './process.js';
