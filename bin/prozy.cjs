#!/usr/bin/env node
'use strict';
/*
 * The launcher: runs on any Node, and hands over to the one that prozy needs, which came with its packages. It says so
 * plainly if there is none. In a checkout it runs the sources, in an installed package what was built from them.
 */
/*
 * Before anything else: without a handler Node opens a debugger on SIGUSR1, and other signals end this process. They are
 * meant for the gateway, which says when it handles them. Before that it has read no config and opened no log, so that
 * those that only ask for this again are dropped; the others end it, as nothing is under way. None is told before the whole
 * of this script has run.
 */
var handled = false;
['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'].forEach(function (signal) {
  var again = signal === 'SIGHUP' || signal === 'SIGUSR1';
  process.on(signal, function () {
    if (handled || !again) running.kill(signal);
  });
});
var child = require('child_process');
var fs = require('fs');
var path = require('path');
/*
 * Flags for the engine (docs/performance.md tells what those for the heap are worth). A handler for SIGUSR1 is there before
 * anything is loaded: `--disable-sigusr1` would keep the signal from the gateway too. The young generation's halves stay at 8 MiB: left
 * alone they grow to 16 MiB beneath reloads and never shrink, and no request is the cheaper for it. The heap grows by half
 * before it is looked through, not to four times what is in use.
 */
var flags = require('./engine-flags.json');

var FLOOR = [24, 21];

var inPackage = __dirname.split(path.sep).indexOf('node_modules') >= 0;
var source = path.join(__dirname, '..', 'src', 'main.ts');
var built = path.join(__dirname, '..', 'dist', 'main.js');
var main = !inPackage && fs.existsSync(source) ? source : built;

function engine() {
  var names = ['node-' + (process.platform === 'win32' ? 'win' : process.platform) + '-' + process.arch];
  names.push('node-bin-' + process.platform + '-' + process.arch);
  for (var i = 0; i < names.length; i++) {
    try {
      var folder = path.dirname(require.resolve(names[i] + '/package.json'));
      var file = path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
      if (fs.existsSync(file)) return file;
    } catch (_) {
      // Not installed for this platform: try the next name.
    }
  }
  return null;
}

var version = process.versions.node.split('.').map(Number);
var modern = version[0] > FLOOR[0] || (version[0] === FLOOR[0] && version[1] >= FLOOR[1]);
var found = engine();

if (found === null && !modern) {
  console.error(
    'prozy needs Node ' +
      FLOOR.join('.') +
      ' or later; this is ' +
      process.version +
      ', and no engine package is installed for ' +
      process.platform +
      ' ' +
      process.arch +
      '.',
  );
  console.error('Install a newer Node, or install prozy again without --omit=optional.');
  process.exit(2);
}

var command = found === null ? process.execPath : found;
var running = child.spawn(command, flags.concat([main], process.argv.slice(2)), {
  // Its end tells the gateway that this process was killed.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
// npm passes a signal on to the shell that it started us in, and no further: its end is what we can see.
if (process.env.npm_command !== undefined) {
  var parent = process.ppid;
  var watch = setInterval(function () {
    if (process.ppid === parent) return;
    // Once: a second signal would end it at once.
    clearInterval(watch);
    running.kill('SIGTERM');
  }, 100);
  watch.unref();
}
running.once('message', function () {
  handled = true;
});
running.on('error', function (error) {
  console.error('prozy cannot start ' + command + ': ' + error.message);
  process.exit(2);
});
running.on('exit', function (code, signal) {
  if (signal !== null) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else process.exit(code === null ? 1 : code);
});
