'use strict';

// The calls that this process makes when it is told to.

module.exports = function Calls(library, channel, checksum) {
    var json = library.Json();

    // One sub-channel for each service, as tchannel-node wants it; its peers are those last named.
    function subChannel(serviceName, peers) {
        var sub = channel.subChannels[serviceName] || channel.makeSubChannel({
            serviceName: serviceName,
            peers: [],
            requestDefaults: checksum ? {checksumType: Number(checksum)} : {}
        });
        sub.peers.keys().forEach(function forget(hostPort) {
            if (peers.indexOf(hostPort) === -1) {
                sub.peers.delete(hostPort);
            }
        });
        peers.forEach(function add(hostPort) {
            sub.peers.add(hostPort);
        });
        return sub;
    }

    function requestOptions(command) {
        var headers = Object.assign({cn: command.caller}, command.transport);
        var options = {
            serviceName: command.service,
            hasNoParent: true,
            timeout: command.timeout,
            headers: headers
        };
        if (command.retry) {
            options.retryLimit = command.retry.limit;
            options.retryFlags = command.retry.flags;
        } else {
            options.retryFlags = {never: true, onConnectionError: false, onTimeout: false};
        }
        return options;
    }

    function call(command, answer) {
        var sub = subChannel(command.service, command.to);
        var options = requestOptions(command);
        if (command.scheme === 'raw') {
            options.headers.as = 'raw';
            sub.request(options).send(
                command.endpoint, decode(command.head), decode(command.body),
                function onRaw(error, response, arg2, arg3) {
                    answer(error ? failure(error) : {
                        ok: response.ok,
                        head: encode(arg2),
                        body: encode(arg3),
                        transport: response.headers,
                        checksum: response.checksum.type
                    });
                }
            );
        } else if (command.scheme === 'json') {
            json.send(sub.request(options), command.endpoint, command.head, command.body, onValue);
        } else {
            library.Thrift({source: library.idl, channel: sub})
                .request(options)
                .send(command.endpoint, command.head, command.body, onValue);
        }

        function onValue(error, response) {
            answer(error ? failure(error) : {
                ok: response.ok,
                head: response.head,
                body: response.body,
                exception: response.typeName || null,
                transport: response.headers
            });
        }
    }

    function ping(hostPort, answer) {
        var peer = channel.peers.add(hostPort);
        peer.waitForIdentified(function onConnected(error) {
            if (error) {
                return answer(failure(error));
            }
            var connection = peer.connect();
            connection.pingResponseEvent.on(function onPong(pong) {
                if (pong.id === id) {
                    answer({});
                }
            });
            var id = connection.ping();
        });
    }

    return {call: call, ping: ping};
};

function failure(error) {
    return {error: {
        code: error.isErrorFrame ? error.errorCode : null,
        name: error.codeName || error.type || error.name,
        message: error.message
    }};
}

function encode(bytes) {
    return Buffer.from(bytes).toString('base64');
}

function decode(text) {
    return Buffer.from(text, 'base64');
}
