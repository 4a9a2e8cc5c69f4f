'use strict';

// One process with tchannel-node: serves the endpoints of ../README.md and makes the calls that it is
// told to make. Usage:
//
//     node peer.js --service NAME [--listen PORT] [--library tchannel4|tchannel] [--checksum 0..3]
//
// Commands come as JSON lines on standard input, answers and events leave as JSON lines on standard
// output (../README.md has the list). The end of standard input ends the process, so that nothing
// is left behind when the test run dies.

var fs = require('fs');
var path = require('path');
var readline = require('readline');
var parseArguments = require('minimist');

var Calls = require('./calls.js');
var registerEndpoints = require('./endpoints.js');
var logger = require('./logger.js');

var argv = parseArguments(process.argv.slice(2), {string: ['service', 'library', 'listen', 'checksum']});
var libraryName = argv.library || 'tchannel4';
var library = {
    TChannel: require(libraryName),
    Json: require(libraryName + '/as/json'),
    Thrift: require(libraryName + '/as/thrift'),
    HyperbahnClient: require(libraryName + '/hyperbahn'),
    idl: fs.readFileSync(path.join(__dirname, '../idl/keyvalue.thrift'), 'utf8'),
    version: require(libraryName + '/package.json').version
};

var channel = library.TChannel({
    // The trace agent takes the address apart, which a peer that does not listen has not.
    trace: argv.listen !== undefined,
    logger: logger,
    // A checksum type of "none" can be asked for in these defaults only, not by a single request.
    requestDefaults: argv.checksum ? {checksumType: Number(argv.checksum)} : {}
});
var service = channel.makeSubChannel({serviceName: argv.service});
var seen = registerEndpoints(library, channel, service);
var calls = Calls(library, channel, argv.checksum);
var advertiser = null;

function say(message) {
    process.stdout.write(JSON.stringify(message) + '\n');
}

var commands = {
    call: function call(command, answer) {
        calls.call(command, answer);
    },
    ping: function ping(command, answer) {
        calls.ping(command.to[0], answer);
    },
    seen: function countSeen(command, answer) {
        answer({seen: seen});
    },
    connections: function listConnections(command, answer) {
        answer({connections: openConnections().map(function describe(connection) {
            return {direction: connection.direction, remote: connection.remoteName};
        })});
    },
    drop: function drop(command, answer) {
        openConnections().forEach(function destroy(connection) {
            connection.socket.destroy();
        });
        answer({});
    },
    drain: function drain(command, answer) {
        channel.drain(command.reason, function drained() {
            answer({});
        });
    },
    advertise: function advertise(command, answer) {
        advertiser = library.HyperbahnClient({
            tchannel: channel,
            serviceName: argv.service,
            callerName: argv.service,
            hostPortList: command.routers,
            hardFail: true,
            reportTracing: false,
            logger: logger
        });
        advertiser.once('advertised', function advertised() { answer({}); });
        advertiser.once('error', function failed(error) { answer({failure: error.message}); });
        advertiser.advertise();
    },
    unadvertise: function unadvertise(command, answer) {
        advertiser.once('unadvertised', function unadvertised() { answer({}); });
        advertiser.unadvertise();
    }
};

function openConnections() {
    var found = channel.serverConnections ? Object.keys(channel.serverConnections).map(function of(id) {
        return channel.serverConnections[id];
    }) : [];
    channel.peers.values().forEach(function eachPeer(peer) {
        peer.connections.forEach(function each(connection) {
            if (found.indexOf(connection) === -1) {
                found.push(connection);
            }
        });
    });
    return found.filter(function isOpen(connection) { return !connection.closing; });
}

readline.createInterface({input: process.stdin}).on('line', function onLine(line) {
    var command = JSON.parse(line);
    commands[command.op](command, function answer(fields) {
        fields.id = command.id;
        say(fields);
    });
}).on('close', function onEnd() {
    process.exit(0);
});

function ready() {
    say({event: 'ready', hostport: channel.hostPort || '', version: library.version});
}

if (argv.listen === undefined) {
    ready();
} else {
    channel.listen(Number(argv.listen), '127.0.0.1', ready);
}
