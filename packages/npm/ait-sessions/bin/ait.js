#!/usr/bin/env node
// Starts the program of the package for this platform. `ait setup` writes that program's own path into startup files, so
// prompts and hooks do not pay for this script.
'use strict';
const { spawnSync } = require('child_process');

const name = `@ait-sessions/${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`${name}/bin/ait`);
} catch {
  console.error(`ait: starting ait: ${name}: not installed; this platform has no package, or optional dependencies were left out`);
  process.exit(1);
}
const done = spawnSync(program, process.argv.slice(2), { stdio: 'inherit' });
if (done.error) {
  console.error(`ait: starting ait: ${program}: ${done.error.message}`);
  process.exit(1);
}
if (done.signal) {
  process.kill(process.pid, done.signal);
}
process.exit(done.status);
