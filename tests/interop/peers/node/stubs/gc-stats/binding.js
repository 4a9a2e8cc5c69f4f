'use strict';

module.exports = {afterGC: function ignore() {}};
