'use strict';
// tchannel-node 4.0.1, server and client, obeying the same commands as worker.py.
// usage: node node.js '{"role": "server" | "client", "modules": DIR, "workload": {...}, ...}'

const fs = require('fs');
const path = require('path');
const readline = require('readline');

const task = JSON.parse(process.argv[2]);
const workload = task.workload;
const SERVICE = 'benchmark';
const TIMEOUT = 60000;
const silent = {};
['trace', 'debug', 'info', 'access', 'warn', 'error', 'fatal'].forEach((level) => {
    silent[level] = () => {};
});

function say(event, fields) {
    fs.writeSync(1, JSON.stringify(Object.assign({event: event}, fields)) + '\n');
}

function stop(event, reason) {
    say(event, {reason: reason});
    process.exit(1);
}

function usage() {
    const spent = process.cpuUsage();
    return {cpu: (spent.user + spent.system) / 1e6, rss: process.memoryUsage().rss};
}

// tchannel 4 stands under an alias where another package needs tchannel 3 beside it.
function findPackage() {
    for (const name of ['tchannel4', 'tchannel']) {
        const folder = path.join(task.modules, name);
        if (fs.existsSync(path.join(folder, 'package.json'))) {
            const version = require(path.join(folder, 'package.json')).version;
            if (version.startsWith('4.')) {
                return {folder: folder, version: version};
            }
        }
    }
    return stop('missing', 'no tchannel 4 in ' + task.modules);
}

const found = findPackage();
const TChannel = require(found.folder);
const asJSON = require(path.join(found.folder, 'as', 'json'))();
const asThrift = require(path.join(found.folder, 'as', 'thrift'));
const idl = path.join(__dirname, '..', 'idl', 'keyvalue.thrift');

function info(handler) {
    return {runtime: 'node ' + process.versions.node, loop: 'libuv', handler: handler,
        version: 'tchannel-node ' + found.version};
}

function onCommand(obey) {
    const lines = readline.createInterface({input: process.stdin});
    lines.on('line', (line) => obey(JSON.parse(line)));
    lines.on('close', () => process.exit(0));
}

function serve() {
    const root = TChannel({logger: silent});
    const channel = root.makeSubChannel({serviceName: SERVICE});
    channel.register('echo', (request, response, arg2, arg3) => {
        response.headers.as = 'raw';
        response.sendOk(arg2, arg3);
    });
    asJSON.register(channel, 'getValue', {}, (context, request, head, body, done) => {
        done(null, {ok: true, head: null, body: {value: body.key === 'hello' ? 'world' : null}});
    });
    const thrift = asThrift({channel: channel, entryPoint: idl});
    thrift.register('KeyValue::getValue', {}, (context, request, head, body, done) => {
        done(null, {ok: true, head: head, body: body.key === 'hello' ? 'world' : ''});
    });
    thrift.register('KeyValue::echoMedium', {}, (context, request, head, body, done) => {
        done(null, {ok: true, head: head, body: body.value});
    });
    root.listen(0, '127.0.0.1', () => {
        const port = parseInt(root.hostPort.split(':')[1], 10);
        say('ready', {port: port, info: info('callback')});
    });
    onCommand((command) => {
        if (command.cmd === 'usage') {
            say('usage', usage());
        }
    });
}

function mediumFields() {
    const samples = [];
    for (let n = 0; n < 20; n++) {
        samples.push(n * 1000003 % 2147483647);
    }
    const totals = {};
    for (let n = 0; n < 5; n++) {
        const total = Buffer.alloc(8); // node's Thrift takes an i64 as eight bytes
        total.writeBigInt64BE(BigInt(n) * 10000000019n);
        totals['total-' + n] = total;
    }
    const created = Buffer.alloc(8);
    created.writeBigInt64BE(1700000000000n);
    return {active: true, level: 7, port: 21300, count: 1234567, created: created, score: 0.75,
        name: 'medium struct',
        description: 'twelve mixed fields, a nested struct, twenty ints and five map entries',
        token: Buffer.from(Array.from({length: 48}, (_, n) => n)),
        position: {latitude: 55.676, longitude: 12.568}, samples: samples, totals: totals};
}

// Returns call(done(error, body)) and the right body.
function makeCall() {
    const root = TChannel({logger: silent});
    const channel = root.makeSubChannel({serviceName: SERVICE, peers: ['127.0.0.1:' + task.port]});
    const options = (scheme) => ({serviceName: SERVICE, hasNoParent: true, timeout: TIMEOUT,
        headers: {as: scheme, cn: 'client'}});
    if (workload.kind === 'json-kv') {
        const body = {key: 'hello'};
        return {expected: 'world', call: (done) => asJSON.send(channel.request(options('json')), 'getValue', null,
            body, (error, response) => done(error, response && response.body.value))};
    }
    if (workload.kind.startsWith('thrift')) {
        const thrift = asThrift({channel: channel, entryPoint: idl});
        if (workload.kind === 'thrift-medium') {
            const medium = mediumFields();
            return {expected: medium.description, call: (done) => thrift.request(options('thrift')).send(
                'KeyValue::echoMedium', null, {value: medium},
                (error, response) => done(error, response && response.body.description))};
        }
        const body = {key: 'hello'};
        return {expected: 'world', call: (done) => thrift.request(options('thrift')).send(
            'KeyValue::getValue', null, body,
            (error, response) => done(error, response && response.body))};
    }
    const payload = Buffer.alloc(workload.size);
    for (let n = 0; n < payload.length; n++) {
        payload[n] = n % 256;
    }
    return {expected: payload, call: (done) => channel.request(options('raw')).send('echo', '', payload,
        (error, response, arg2, arg3) => done(error, arg3))};
}

function drive() {
    const maker = makeCall();
    const call = maker.call;

    function keepInFlight(seconds, taken, finished) {
        const end = process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9));
        let running = true;
        let answered = 0;
        let open = workload.in_flight;
        const timer = setTimeout(() => { running = false; }, seconds * 1000);
        function lane() {
            let started = taken && process.hrtime.bigint();
            function next() {
                call(answer);
            }
            function answer(error) {
                if (error) {
                    stop('failed', error.message);
                }
                answered += 1;
                if (taken) {
                    const now = process.hrtime.bigint();
                    taken.push(Number(now - started));
                    started = now;
                    running = running && now < end;
                }
                if (running) {
                    next();
                } else {
                    open -= 1;
                    if (open === 0) {
                        clearTimeout(timer);
                        finished(answered);
                    }
                }
            }
            next();
        }
        for (let n = 0; n < workload.in_flight; n++) {
            lane();
        }
    }

    function run(seconds) {
        const before = usage().cpu;
        const started = process.hrtime.bigint();
        keepInFlight(seconds, null, (answered) => {
            const wall = Number(process.hrtime.bigint() - started) / 1e9;
            say('run', {calls: answered, wall: wall, cpu: usage().cpu - before});
        });
    }

    function latency(seconds) {
        const taken = [];
        keepInFlight(seconds, taken, () => {
            taken.sort((a, b) => a - b);
            const at = (part) => taken[Math.round((taken.length - 1) * part)] / 1e3;
            say('latency', {count: taken.length, p50: at(0.5), p99: at(0.99)});
        });
    }

    call((error, body) => {
        const right = Buffer.isBuffer(maker.expected) ? maker.expected.equals(body) : maker.expected === body;
        if (error || !right) {
            stop('failed', error ? error.message : 'wrong answer');
        }
        say('ready', {info: info('-')});
        onCommand((command) => {
            if (command.cmd === 'run') {
                run(command.seconds);
            } else if (command.cmd === 'latency') {
                latency(command.seconds);
            } else if (command.cmd === 'usage') {
                say('usage', usage());
            } else {
                say(command.cmd, {});
            }
        });
    });
}

if (task.role === 'server') {
    serve();
} else {
    drive();
}
