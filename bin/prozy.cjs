#!/usr/bin/env node
/*
 * The command `prozy` (cold). Finds a Node that can run the gateway and hands it the command line: the Node that runs
 * this file if it is new enough, otherwise the one that npm installed beside the package (`node-<os>-<cpu>`).
 * Written in ES5, because the Node that reads this first may be any: what it must never do is fail with a syntax error.
 */
'use strict';

var childProcess = require('child_process');
var fs = require('fs');
var path = require('path');

/** The oldest Node that runs the gateway: major, minor. As in package.json, `engines`. */
var OLDEST = [24, 21];

/** V8 options that the gateway runs under, such as `--max-semi-space-size=32`. */
var V8_FLAGS = [];

/** Options for a Node that is started from here. */
var NODE_FLAGS = ['--disable-warning=ExperimentalWarning'].concat(V8_FLAGS);

/** Signals that an operator sends to the gateway. Not all exist everywhere. */
var SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'];

/** EX_UNAVAILABLE of sysexits.h: nothing here can run the gateway. */
var UNAVAILABLE = 69;

var root = path.join(__dirname, '..');

/** @param {string} version - Such as `26.10.0`. */
function isNewEnough(version) {
  var parts = version.split('.').map(Number);
  return parts[0] > OLDEST[0] || (parts[0] === OLDEST[0] && parts[1] >= OLDEST[1]);
}

/** A checkout runs its sources; Node strips types nowhere below a node_modules folder, so a package runs what was built. */
function entryPoint() {
  var source = path.join(root, 'src', 'main.ts');
  var isInstalled = root.split(path.sep).indexOf('node_modules') !== -1;
  return !isInstalled && fs.existsSync(source) ? source : path.join(root, 'dist', 'main.js');
}

/** @returns {string | undefined} The executable that npm installed for this machine, looked up as a dependency is. */
function installedNode() {
  var system = (process.platform === 'win32' ? 'win' : process.platform) + '-' + process.arch;
  var executable = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  var names = ['node-' + system, 'node-bin-' + system];
  for (var i = 0; i < names.length; i++) {
    for (var folder = root; ; folder = path.dirname(folder)) {
      var candidate = path.join(folder, 'node_modules', names[i], executable);
      if (fs.existsSync(candidate)) return candidate;
      if (path.dirname(folder) === folder) break;
    }
  }
  return undefined;
}

function runHere(entry) {
  V8_FLAGS.forEach(require('v8').setFlagsFromString);
  process.argv[1] = entry;
  // Node 10 and older would not parse a bare import(); only a Node that is new enough comes here.
  new Function('url', 'return import(url)')(require('url').pathToFileURL(entry).href);
}

function runIn(node, entry) {
  var child = childProcess.spawn(node, NODE_FLAGS.concat(entry, process.argv.slice(2)), { stdio: 'inherit' });
  function forward(signal) {
    child.kill(signal);
  }
  SIGNALS.forEach(function (signal) {
    try {
      process.on(signal, forward);
    } catch (unknownHere) {}
  });
  child.on('error', function (error) {
    giveUp(node + ' does not start: ' + error.message);
  });
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code);
    process.removeListener(signal, forward);
    process.kill(process.pid, signal);
  });
}

function giveUp(reason) {
  console.error('prozy: ' + reason + '.');
  console.error(
    'Install Node ' + OLDEST.join('.') + ' or newer, or let npm bring one: npm install prozy --include=optional',
  );
  process.exitCode = UNAVAILABLE;
}

if (isNewEnough(process.versions.node)) {
  runHere(entryPoint());
} else {
  var node = installedNode();
  if (node !== undefined) runIn(node, entryPoint());
  else
    giveUp(
      'this Node is ' +
        process.versions.node +
        ', too old, and there is no other for ' +
        process.platform +
        '-' +
        process.arch,
    );
}
