/** The contracts that every part of lineheron shares. Safe for the browser: no Node module behind this door. */
export * from './alert.js';
export * from './api.js';
export * from './channel.js';
export * from './control.js';
export * from './detector.js';
export * from './drift.js';
export * from './drift-meter.js';
export * from './feature.js';
export * from './feed.js';
export * from './identity.js';
export * from './problem.js';
export * from './record.js';
export * from './score.js';
export * from './score-tail.js';
export * from './sentence.js';
export * from './settings.js';
export * from './topics.js';
