'use strict';

// The endpoints that every peer serves; ../README.md says what each must do.

var ERRORS = {
    timeout: 'Timeout',
    cancelled: 'Cancelled',
    busy: 'Busy',
    declined: 'Declined',
    unexpected: 'UnexpectedError',
    'bad-request': 'BadRequest',
    network: 'NetworkError',
    unhealthy: 'Unhealthy',
    fatal: 'ProtocolError'
};
var PERIOD = 251; // a prime, so that a lost or doubled piece shows

module.exports = function registerEndpoints(library, channel, service) {
    var seen = {};
    registerRaw(channel, service, seen);
    registerJson(library.Json(), service, seen);
    registerThrift(library, service, seen);
    return seen;
};

function counting(seen, endpoint, handler) {
    return function counted() {
        seen[endpoint] = (seen[endpoint] || 0) + 1;
        return handler.apply(this, arguments);
    };
}

function registerRaw(channel, service, seen) {
    function raw(endpoint, handler) {
        service.register(endpoint, counting(seen, endpoint, function handle(req, res, arg2, arg3) {
            res.headers.as = 'raw';
            handler(req, res, arg2, arg3);
        }));
    }

    raw('echo', function echo(req, res, arg2, arg3) {
        res.sendOk(arg2, arg3);
    });
    raw('big', function big(req, res, arg2, arg3) {
        res.sendOk(arg2, pattern(Number(arg3)));
    });
    raw('notok', function notok(req, res, arg2, arg3) {
        res.sendNotOk(arg2, arg3);
    });
    raw('slow', function slow(req, res, arg2, arg3) {
        setTimeout(function late() {
            res.sendOk(arg2, 'done');
        }, Number(arg3));
    });
    raw('reqinfo', function reqinfo(req, res) {
        res.sendOk('', JSON.stringify(whatArrived(req)));
    });
    raw('callme', function callme(req, res, arg2, arg3) {
        callBack(channel, service, req, String(arg2), arg3, function answered(error, response, head, body) {
            if (error) {
                res.sendError('UnexpectedError', 'the call back failed: ' + error.message);
            } else {
                res.sendOk(head, body);
            }
        });
    });
    raw('relay', function relay(req, res, arg2, arg3) {
        var name = String(arg2);
        var sub = channel.subChannels[name] || channel.makeSubChannel({serviceName: name});
        sub.request({
            serviceName: name,
            host: String(arg3),
            parent: req,
            timeout: 5000,
            headers: {as: 'raw', cn: service.serviceName}
        }).send('echo', '', '', function answered(error, response, head, body) {
            if (error) {
                res.sendError('UnexpectedError', 'the relayed call failed: ' + error.message);
            } else {
                res.sendOk(head, body);
            }
        });
    });
    raw('blackhole', function blackhole() {});
    raw('crash', function crash(req, res) {
        // tchannel-node handlers have no way to fail but to say so.
        res.sendError('UnexpectedError', 'RuntimeError: crashed as asked');
    });
    raw('die', function die(req, res, arg2, arg3) {
        if (String(arg3) === 'process') {
            process.kill(process.pid, 'SIGKILL');
        }
        req.connection.socket.destroy();
    });
    ['mirror', 'Mirror::answer'].forEach(function each(name) {
        // Answers with the bytes that it is asked for, in the scheme that it is asked in.
        service.register(name, counting(seen, name, function mirror(req, res, arg2, arg3) {
            var asked = /<([0-9a-f]*)(!?)>/.exec(String(arg3));
            var body = Buffer.from(asked[1], 'hex');
            res.headers.as = req.headers.as;
            if (asked[2]) {
                res.sendNotOk(arg2, body);
            } else {
                res.sendOk(arg2, body);
            }
        }));
    });
    Object.keys(ERRORS).forEach(function each(name) {
        raw('error-' + name, function fail(req, res) {
            res.sendError(ERRORS[name], 'as asked: ' + name);
        });
    });
}

function whatArrived(req) {
    return {
        service: req.serviceName,
        caller: req.callerName,
        headers: req.headers,
        ttl: req.timeout,
        flags: req.flags,
        checksum: req.checksum.type,
        remote: req.remoteAddr,
        tracing: {
            span: hex(req.tracing.spanid),
            parent: hex(req.tracing.parentid),
            trace: hex(req.tracing.traceid),
            flags: req.tracing.flags
        }
    };
}

function hex(halves) {
    return halves.map(function padded(half) {
        return ('0000000' + half.toString(16)).slice(-8);
    }).join('');
}

function pattern(size) {
    var buffer = Buffer.alloc(size);
    for (var i = 0; i < size; i++) {
        buffer[i] = i % PERIOD;
    }
    return buffer;
}

function callBack(channel, service, req, name, body, callback) {
    var sub = channel.subChannels[name] || channel.makeSubChannel({serviceName: name});
    var options = sub.requestOptions({
        serviceName: name,
        hasNoParent: true,
        timeout: 5000,
        headers: {as: 'raw', cn: service.serviceName}
    });
    options.channel = sub;
    options.peer = channel.peers.get(req.connection.remoteName);
    req.connection.request(options).send('echo', 'called back', body, callback);
}

function registerJson(json, service, seen) {
    json.register(service, 'json-echo', {}, counting(seen, 'json-echo', function echo(context, req, head, body, done) {
        done(null, {ok: true, head: head, body: body});
    }));
    json.register(service, 'json-fail', {}, counting(seen, 'json-fail', function fail(context, req, head, body, done) {
        done(null, {ok: false, head: head, body: {type: 'as-asked', message: 'failed as asked', got: body}});
    }));
    json.register(service, 'json-crash', {}, counting(seen, 'json-crash', function crash(context, req, head, body, done) {
        done(new Error('crashed as asked'));
    }));
}

function registerThrift(library, service, seen) {
    var values = new Map([['hello', 'world']]);
    var thrift = library.Thrift({
        source: library.idl,
        channel: service,
        isHealthy: function isHealthy() { return {ok: true, message: 'as well as ever'}; }
    });

    function register(name, handler) {
        thrift.register('KeyValue::' + name, {}, counting(seen, name, function handle(context, req, head, body, done) {
            handler(body, done, head);
        }));
    }

    register('getValue', function getValue(body, done, head) {
        if (values.has(body.key)) {
            done(null, {ok: true, head: head, body: values.get(body.key)});
        } else {
            done(null, {ok: false, head: head, typeName: 'notFound', body: {key: body.key}});
        }
    });
    register('setValue', function setValue(body, done, head) {
        if (body.key === '') {
            done(null, {ok: false, head: head, typeName: 'invalidKey', body: {key: '', reason: 'empty'}});
        } else {
            values.set(body.key, body.value);
            done(null, {ok: true, head: head, body: null});
        }
    });
    register('crash', function crash(body, done) {
        done(new Error('crashed as asked'));
    });
    register('echo', function echo(body, done, head) {
        done(null, {ok: true, head: head, body: body.everything});
    });
}
