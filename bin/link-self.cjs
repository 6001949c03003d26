'use strict';
/* Run by npm after an install in a checkout: makes `npx prozy` find the checkout's own command. */
var fs = require('fs');
var path = require('path');

var link = path.join(__dirname, '..', 'node_modules', '.bin', 'prozy');
try {
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.rmSync(link, { force: true });
  fs.symlinkSync(path.join('..', '..', 'bin', 'prozy.cjs'), link);
} catch (error) {
  console.error('npx prozy will not work here (' + error.message + '): use node bin/prozy.cjs');
}
