'use strict';

module.exports = function refuse() {
    throw new Error('this installation has no bignum: Kafka logging is not available');
};
