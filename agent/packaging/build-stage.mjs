#!/usr/bin/env node
/** Lays the agent out for a container: `node agent/packaging/build-stage.mjs FOLDER`. Prints what it weighs. */
import { diskBytes, stage } from './stage.mjs';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('build-stage: name the folder to write\n');
  process.exitCode = 64;
} else {
  const packages = await stage(folder);
  process.stdout.write(
    `${folder}: ${packages.length} packages bundled, ${(diskBytes(folder) / 1e6).toFixed(1)} MB\n`,
  );
}
