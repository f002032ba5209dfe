/** How trained models and other small files are kept on disk. Node only. */
export * from './atomic-file.js';
export * from './folder-lock.js';
export * from './kept.js';
export * from './manifest.js';
export * from './model-store.js';
export * from './private-files.js';
export * from './sealed-json.js';
export * from './training-profile.js';
