'use strict';

function toobusy() {
    return false;
}

toobusy.lag = function lag() { return 0; };
toobusy.maxLag = function maxLag(value) { return value || 70; };
toobusy.shutdown = function shutdown() {};

module.exports = toobusy;
