'use strict';

// The logger that tchannel-node asks for: warnings and worse go to stderr, which the tests keep.

function writer(level) {
    return function log(message, fields) {
        process.stderr.write(level + ': ' + message + ' ' + describe(fields) + '\n');
    };
}

function describe(fields) {
    var error = fields && (fields.error || fields.err);
    return error ? String(error.message || error) : Object.keys(fields || {}).join(',');
}

function ignore() {}

module.exports = {
    trace: ignore,
    debug: ignore,
    info: ignore,
    access: ignore,
    warn: writer('warning'),
    error: writer('error'),
    fatal: writer('fatal')
};
