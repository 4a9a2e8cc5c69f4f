'use strict';

// One Hyperbahn node. Its own server.js insists on files under /var and on a statsd daemon; this one
// does not. Usage:
//
//     node hyperbahn.js --port 21300 --bootstrapFile '["127.0.0.1:21300"]' [--k 1]
//
// Prints one JSON line {"event": "ready", "hostport": …} when it listens and its ring is complete,
// which needs every node of the list. Ends on SIGTERM, SIGINT, and when its standard input ends.

var path = require('path');
var Application = require('hyperbahn/app.js');
var StaticConfig = require('static-config');
var parseArguments = require('minimist');

var home = path.dirname(require.resolve('hyperbahn/package.json'));
var argv = parseArguments(process.argv.slice(2));
var config = StaticConfig({
    files: [
        path.join(home, 'config/production.json'),
        path.join(home, 'config/local.json'),
        path.join(__dirname, 'hyperbahn.json')
    ]
});
var app = Application(config, {argv: argv, processTitle: process.title});

function leave() {
    process.exit(0);
}

process.on('uncaughtException', app.clients.onError);
process.on('SIGTERM', leave);
process.on('SIGINT', leave);
process.stdin.on('end', leave).resume();

app.bootstrapAndListen(function onListening(error) {
    if (error) {
        process.stderr.write('hyperbahn does not start: ' + (error.stack || error) + '\n');
        process.exit(1);
    }
    if (argv.k) {
        // The number of nodes that each service is advertised to; by default more than a test has.
        app.clients.egressNodes.setDefaultKValue(Number(argv.k));
    }
    process.stdout.write(JSON.stringify({event: 'ready', hostport: app.tchannel.hostPort}) + '\n');
});
