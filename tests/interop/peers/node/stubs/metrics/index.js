'use strict';

// ringpop keeps the newest samples of its protocol delays and derives its ping period from their
// median, and it prints both kinds of metric in its statistics; nothing else is asked of them.

var KEPT = 1024;

function Histogram() {
    this.samples = [];
    this.count = 0;
    this.sum = 0;
}

Histogram.prototype.update = function update(sample) {
    this.samples[this.count % KEPT] = sample;
    this.count += 1;
    this.sum += sample;
};

Histogram.prototype.percentiles = function percentiles(wanted) {
    var sorted = this.samples.slice().sort(function byValue(a, b) { return a - b; });
    var result = {};
    (wanted || [0.5, 0.75, 0.95, 0.99, 0.999]).forEach(function each(fraction) {
        var index = Math.min(sorted.length - 1, Math.floor(fraction * sorted.length));
        result[fraction] = sorted.length === 0 ? null : sorted[index];
    });
    return result;
};

Histogram.prototype.printObj = function printObj() {
    var at = this.percentiles();
    return {
        type: 'histogram',
        count: this.count,
        sum: this.sum,
        min: this.count ? Math.min.apply(null, this.samples) : null,
        max: this.count ? Math.max.apply(null, this.samples) : null,
        mean: this.count ? this.sum / this.count : null,
        median: at['0.5'],
        p75: at['0.75'],
        p95: at['0.95'],
        p99: at['0.99'],
        p999: at['0.999']
    };
};

function Meter() {
    var timerOfNothing = {stop: function stop() {}};
    this.m1Rate = timerOfNothing;
    this.m5Rate = timerOfNothing;
    this.m15Rate = timerOfNothing;
    this.count = 0;
    this.since = Date.now();
}

Meter.prototype.mark = function mark(events) {
    this.count += events || 1;
};

Meter.prototype.printObj = function printObj() {
    var rate = 1000 * this.count / Math.max(1, Date.now() - this.since);
    return {type: 'meter', count: this.count, mean: rate, m1: rate, m5: rate, m15: rate, unit: 'seconds'};
};

module.exports = {Histogram: Histogram, Meter: Meter};
