/* Receiving: whole frames are found in what was read, and those of small calls read where they lie.
 *
 * Twins: connection.Connection.receive and _receive_frames, inbound.InboundSide._receive_call_request
 * and _read_request_prefix, outbound.OutboundSide._receive_call_response and _read_response_prefix,
 * headers.header_block_end and check_header_limits.
 *
 * Here a frame is only read if everything about it is usual. The twins look at it anew in any other
 * case, legal or not, and nothing was changed by then.
 */

#include "wire.h"

struct frame {
    const uint8_t *bytes;
    Py_ssize_t size;
    uint32_t id;
};

/* What the bytes say that repeat from message to message. Own references. */
struct meaning {
    Py_ssize_t end; /* just behind them in the frame */
    PyObject *service, *headers, *checksum_type;
};

static void
forget(struct meaning *meaning)
{
    Py_CLEAR(meaning->service);
    Py_CLEAR(meaning->headers);
    Py_CLEAR(meaning->checksum_type);
}

/* Twin: headers.header_block_end, with the checksum type behind the block. -1: it is cut off. */
static Py_ssize_t
prefix_end(const struct frame *frame, Py_ssize_t at)
{
    if (at >= frame->size)
        return -1;
    for (int left = 2 * frame->bytes[at++]; left > 0; left--) {
        if (at >= frame->size)
            return -1;
        at += 1 + frame->bytes[at];
    }
    return at < frame->size ? at + 1 : -1;
}

/* Twin: headers.check_header_limits, as far as it is quick. */
static int
within_limits(const struct wire *wire, PyObject *self, PyObject *headers)
{
    PyObject *options = SLOT(self, wire->connection.options);
    if (options == NULL || !Py_IS_TYPE(options, wire->options_type) || !PyDict_CheckExact(headers))
        return 0;
    return count_of(SLOT(options, wire->options.max_headers)) >= PyDict_GET_SIZE(headers)
        && count_of(SLOT(options, wire->options.max_header_key_length)) == 0xFF
        && count_of(SLOT(options, wire->options.max_header_value_length)) == 0xFF;
}

/* Whether the bytes at `at` are those of the last small message of this connection. */
static int
is_last_prefix(PyObject *last, const struct frame *frame, Py_ssize_t at)
{
    Py_ssize_t size = PyBytes_GET_SIZE(last);
    return at + size <= frame->size && memcmp(frame->bytes + at, PyBytes_AS_STRING(last), (size_t)size) == 0;
}

/* What the prefix of a frame means, by the cache of the Python way; a tuple, a borrowed reference. */
static enum outcome
known_prefix(PyObject *cache, const struct frame *frame, Py_ssize_t at, Py_ssize_t end, Py_ssize_t items,
             PyObject **found)
{
    PyObject *key = PyBytes_FromStringAndSize((const char *)frame->bytes + at, end - at);
    if (key == NULL)
        return FAILED;
    *found = PyDict_GetItemWithError(cache, key);
    Py_DECREF(key);
    if (*found == NULL)
        return PyErr_Occurred() ? FAILED : UNUSUAL;
    return PyTuple_CheckExact(*found) && PyTuple_GET_SIZE(*found) == items ? DONE : UNUSUAL;
}

/* Twin: the first half of InboundSide._receive_call_request, and _read_request_prefix. */
static enum outcome
read_request_prefix(const struct wire *wire, PyObject *self, const struct frame *frame, struct meaning *meaning)
{
    PyObject *last = SLOT(self, wire->connection.request_prefix);
    if (last == NULL || !PyBytes_CheckExact(last))
        return UNUSUAL; /* the first of this connection, which the Python way learns from */
    if (is_last_prefix(last, frame, REQUEST_PREFIX)) {
        meaning->end = REQUEST_PREFIX + PyBytes_GET_SIZE(last);
        meaning->service = Py_XNewRef(SLOT(self, wire->connection.request_service));
        meaning->headers = Py_XNewRef(SLOT(self, wire->connection.request_headers));
        meaning->checksum_type = Py_XNewRef(SLOT(self, wire->connection.request_checksum_type));
    } else {
        if (frame->size <= REQUEST_PREFIX)
            return UNUSUAL;
        meaning->end = prefix_end(frame, REQUEST_PREFIX + 1 + frame->bytes[REQUEST_PREFIX]);
        if (meaning->end < 0)
            return UNUSUAL;
        PyObject *known;
        enum outcome found = known_prefix(wire->request_prefixes, frame, REQUEST_PREFIX, meaning->end, 3, &known);
        if (found != DONE)
            return found;
        if (!within_limits(wire, self, PyTuple_GET_ITEM(known, 1)))
            return UNUSUAL;
        meaning->service = Py_NewRef(PyTuple_GET_ITEM(known, 0));
        meaning->headers = Py_NewRef(PyTuple_GET_ITEM(known, 1));
        meaning->checksum_type = Py_NewRef(PyTuple_GET_ITEM(known, 2));
    }
    return meaning->service != NULL && meaning->headers != NULL && meaning->checksum_type != NULL ? DONE
                                                                                                  : UNUSUAL;
}

/* Twin: the same of OutboundSide._receive_call_response, and _read_response_prefix. */
static enum outcome
read_response_prefix(const struct wire *wire, PyObject *self, const struct frame *frame, struct meaning *meaning)
{
    PyObject *last = SLOT(self, wire->connection.response_prefix);
    if (last == NULL || !PyBytes_CheckExact(last))
        return UNUSUAL;
    if (is_last_prefix(last, frame, RESPONSE_PREFIX)) {
        meaning->end = RESPONSE_PREFIX + PyBytes_GET_SIZE(last);
        meaning->headers = Py_XNewRef(SLOT(self, wire->connection.response_headers));
        meaning->checksum_type = Py_XNewRef(SLOT(self, wire->connection.response_checksum_type));
    } else {
        meaning->end = prefix_end(frame, RESPONSE_PREFIX);
        if (meaning->end < 0)
            return UNUSUAL;
        PyObject *known;
        enum outcome found = known_prefix(wire->response_prefixes, frame, RESPONSE_PREFIX, meaning->end, 2, &known);
        if (found != DONE)
            return found;
        if (!within_limits(wire, self, PyTuple_GET_ITEM(known, 0)))
            return UNUSUAL;
        meaning->headers = Py_NewRef(PyTuple_GET_ITEM(known, 0));
        meaning->checksum_type = Py_NewRef(PyTuple_GET_ITEM(known, 1));
    }
    return meaning->headers != NULL && meaning->checksum_type != NULL ? DONE : UNUSUAL;
}

/* The next chunk of a frame, with its length before it; 0: it does not fit. */
static int
read_chunk(const struct frame *frame, Py_ssize_t *at, struct span *chunk)
{
    if (*at + 2 > frame->size)
        return 0;
    chunk->size = get16(frame->bytes + *at);
    chunk->at = frame->bytes + *at + 2;
    *at += 2 + chunk->size;
    return *at <= frame->size;
}

static inline PyObject *
bytes_of(struct span span)
{
    return PyBytes_FromStringAndSize((const char *)span.at, span.size);
}

/* The checksum that stands behind the prefix, and the three args; UNUSUAL: they are not whole. */
static enum outcome
read_args(const struct wire *wire, const struct frame *frame, const struct meaning *meaning, struct span args[3])
{
    Py_ssize_t at = meaning->end + 4;
    if (at > frame->size)
        return UNUSUAL;
    uint32_t said = get32(frame->bytes + meaning->end), value;
    for (int i = 0; i < 3; i++)
        if (!read_chunk(frame, &at, &args[i]))
            return UNUSUAL;
    if (at != frame->size || wire_checksum(wire, meaning->checksum_type, args, 3, &value) != DONE)
        return UNUSUAL;
    return value == said ? DONE : UNUSUAL;
}

/* Twin: InboundSide._receive_call_request, the end of it: the frame has been looked at. */
static enum outcome
take_request(
    const struct wire *wire, PyObject *self, const struct frame *frame, double now,
    const struct meaning *meaning, const struct span args[3], PyObject *key, PyObject *events)
{
    uint32_t ttl_ms = get32(frame->bytes + 17);
    PyObject *request = new_instance(wire->request_type);
    if (request == NULL)
        return FAILED;
    /* Only now: see new_instance. */
    int known = !wire_connection_is_usual(wire, self) || SLOT(self, wire->connection.state) != wire->open
        ? 1
        : PyDict_Contains(SLOT(self, wire->connection.inbound), key);
    if (known != 0) {
        Py_DECREF(request);
        return known < 0 ? FAILED : UNUSUAL;
    }
    PyObject *deadline = PyFloat_FromDouble(now + ttl_ms * 0.001);
    SLOT(request, wire->request.id) = Py_NewRef(key);
    SLOT(request, wire->request.flags) = PyLong_FromLong(0);
    SLOT(request, wire->request.ttl_ms) = PyLong_FromUnsignedLong(ttl_ms);
    SLOT(request, wire->request.deadline) = deadline;
    SLOT(request, wire->request.tracing) = bytes_of((struct span){frame->bytes + 21, TRACING_SIZE});
    SLOT(request, wire->request.service) = Py_NewRef(meaning->service);
    SLOT(request, wire->request.headers) = Py_NewRef(meaning->headers);
    SLOT(request, wire->request.checksum_type) = Py_NewRef(meaning->checksum_type);
    SLOT(request, wire->request.arg1) = bytes_of(args[0]);
    SLOT(request, wire->request.arg2) = bytes_of(args[1]);
    SLOT(request, wire->request.arg3) = bytes_of(args[2]);
    SLOT(request, wire->request.more) = Py_NewRef(Py_False);
    SLOT(request, wire->request.context) = Py_NewRef(Py_None);
    SLOT(request, wire->request.flow) = Py_NewRef(Py_None);
    enum outcome outcome = FAILED;
    if (deadline != NULL && SLOT(request, wire->request.flags) != NULL
        && SLOT(request, wire->request.ttl_ms) != NULL && SLOT(request, wire->request.tracing) != NULL
        && SLOT(request, wire->request.arg1) != NULL && SLOT(request, wire->request.arg2) != NULL
        && SLOT(request, wire->request.arg3) != NULL && wire_arm(wire, self, deadline) == DONE
        /* Looked up only now: setting the timer may have run anything. */
        && PyDict_SetItem(SLOT(self, wire->connection.inbound), key, request) == 0
        && PyList_Append(events, request) == 0)
        outcome = DONE;
    Py_DECREF(request);
    return outcome;
}

/* Twin: InboundSide._receive_call_request. */
static enum outcome
receive_request(const struct wire *wire, PyObject *self, const struct frame *frame, double now, PyObject *events)
{
    if (SLOT(self, wire->connection.state) != wire->open || frame->size >= LARGE_FRAME
        || frame->id == NO_MESSAGE_ID || frame->size > count_of(SLOT(self, wire->connection.max_single)))
        return UNUSUAL;
    struct meaning meaning = {0};
    struct span args[3];
    PyObject *key = NULL;
    enum outcome outcome = read_request_prefix(wire, self, frame, &meaning);
    if (outcome != DONE)
        goto done;
    outcome = UNUSUAL;
    if (frame->bytes[16] != 0 || get32(frame->bytes + 17) == 0) /* flags, ttl */
        goto done;
    outcome = read_args(wire, frame, &meaning, args);
    if (outcome != DONE)
        goto done;
    outcome = UNUSUAL;
    if (args[0].size > count_of(SLOT(self, wire->connection.max_arg1)))
        goto done;
    outcome = FAILED;
    if ((key = PyLong_FromUnsignedLong(frame->id)) == NULL)
        goto done;
    outcome = take_request(wire, self, frame, now, &meaning, args, key, events);
done:
    forget(&meaning);
    Py_XDECREF(key);
    return outcome;
}

/* Twin: OutboundSide._receive_call_response, the end of it. */
static enum outcome
take_response(
    const struct wire *wire, PyObject *self, const struct frame *frame, PyObject *call,
    const struct meaning *meaning, const struct span args[3], PyObject *key, PyObject *events)
{
    if (!wire_connection_is_usual(wire, self))
        return UNUSUAL; /* a cache's key of a class of its own has run something */
    /* Before there is an event: a collection of garbage, which that may set off, may cancel calls. */
    if (PyDict_DelItem(SLOT(self, wire->connection.outbound), key) < 0)
        return FAILED;
    PyObject *response = new_instance(wire->response_type);
    if (response == NULL)
        return FAILED;
    SLOT(response, wire->response.id) = Py_NewRef(key);
    SLOT(response, wire->response.context) = Py_XNewRef(SLOT(call, wire->call.context));
    SLOT(response, wire->response.code) = PyLong_FromLong(frame->bytes[17]);
    SLOT(response, wire->response.tracing) = bytes_of((struct span){frame->bytes + 18, TRACING_SIZE});
    SLOT(response, wire->response.headers) = Py_NewRef(meaning->headers);
    SLOT(response, wire->response.checksum_type) = Py_NewRef(meaning->checksum_type);
    SLOT(response, wire->response.arg2) = bytes_of(args[1]);
    SLOT(response, wire->response.arg3) = bytes_of(args[2]);
    SLOT(response, wire->response.more) = Py_NewRef(Py_False);
    enum outcome outcome = FAILED;
    if (SLOT(response, wire->response.code) != NULL && SLOT(response, wire->response.tracing) != NULL
        && SLOT(response, wire->response.arg2) != NULL && SLOT(response, wire->response.arg3) != NULL
        && PyList_Append(events, response) == 0) {
        set_slot(call, wire->call.context, Py_NewRef(Py_None));
        outcome = DONE;
    }
    Py_DECREF(response);
    return outcome;
}

/* Twin: OutboundSide._receive_call_response. */
static enum outcome
receive_response(const struct wire *wire, PyObject *self, const struct frame *frame, PyObject *events)
{
    struct meaning meaning = {0};
    struct span args[3];
    enum outcome outcome = UNUSUAL;
    PyObject *key = PyLong_FromUnsignedLong(frame->id);
    if (key == NULL)
        return FAILED;
    PyObject *call = Py_XNewRef(PyDict_GetItemWithError(SLOT(self, wire->connection.outbound), key));
    if (call == NULL) {
        outcome = PyErr_Occurred() ? FAILED : DONE; /* it was cancelled, or has expired */
        goto done;
    }
    if (!Py_IS_TYPE(call, wire->call_type) || SLOT(call, wire->call.flow) != Py_None
        || SLOT(call, wire->call.context) == NULL || frame->size >= LARGE_FRAME
        || frame->size > count_of(SLOT(self, wire->connection.max_single)))
        goto done;
    outcome = read_response_prefix(wire, self, frame, &meaning);
    if (outcome == DONE)
        outcome = read_args(wire, frame, &meaning, args);
    if (outcome == DONE)
        outcome = frame->bytes[16] != 0 || args[0].size != 0
            ? UNUSUAL
            : take_response(wire, self, frame, call, &meaning, args, key, events);
done:
    forget(&meaning);
    Py_DECREF(key);
    Py_XDECREF(call);
    return outcome;
}

/* Leaves a frame of a call to the method that looks at every field of it.
 * DONE, or UNUSUAL for what was so dear that others should have their turn. */
static enum outcome
leave_to(PyObject *name, PyObject *self, PyObject *data, Py_ssize_t start, Py_ssize_t stop,
         uint32_t id, PyObject *now, PyObject *events)
{
    PyObject *first = PyLong_FromSsize_t(start), *last = PyLong_FromSsize_t(stop);
    PyObject *key = PyLong_FromUnsignedLong(id), *dear = NULL;
    PyObject *args[] = {self, data, first, last, key, now, events};
    if (first != NULL && last != NULL && key != NULL)
        dear = PyObject_VectorcallMethod(name, args, 7, NULL);
    Py_XDECREF(first);
    Py_XDECREF(last);
    Py_XDECREF(key);
    if (dear == NULL)
        return FAILED;
    int is_dear = PyObject_IsTrue(dear);
    Py_DECREF(dear);
    return is_dear < 0 ? FAILED : is_dear ? UNUSUAL : DONE;
}

/* Leaves a frame that belongs to no call, alone, to the twin of receive_frames. */
static enum outcome
leave_frame(const struct wire *wire, PyObject *self, const struct frame *frame, PyObject *now, PyObject *events)
{
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)frame->bytes, frame->size);
    PyObject *zero = PyLong_FromLong(0), *one = PyLong_FromLong(1), *done = NULL;
    PyObject *args[] = {self, bytes, zero, now, events, one};
    if (bytes != NULL && zero != NULL && one != NULL)
        done = PyObject_Vectorcall(wire->receive_frames, args, 6, NULL);
    Py_XDECREF(bytes);
    Py_XDECREF(zero);
    Py_XDECREF(one);
    if (done == NULL)
        return FAILED;
    Py_DECREF(done);
    return DONE;
}

/* One whole frame. DONE, or UNUSUAL for what was so dear that others should have their turn. */
static enum outcome
receive_frame(const struct wire *wire, PyObject *self, PyObject *data, Py_ssize_t start, Py_ssize_t size,
              PyObject *now, PyObject *events)
{
    const uint8_t *bytes = (const uint8_t *)PyBytes_AS_STRING(data) + start;
    struct frame frame = {bytes, size, get32(bytes + 4)};
    PyObject *name;
    enum outcome outcome;
    /* Looked at for each frame: an earlier one may have run anything. */
    if (SLOT(self, wire->connection.open) != Py_True || !wire_connection_is_usual(wire, self))
        return leave_frame(wire, self, &frame, now, events);
    switch (bytes[2]) {
    case CALL_RESPONSE:
        outcome = receive_response(wire, self, &frame, events);
        name = wire->name_receive_response;
        break;
    case CALL_REQUEST:
        outcome = receive_request(wire, self, &frame, PyFloat_AS_DOUBLE(now), events);
        name = wire->name_receive_request;
        break;
    case CALL_REQUEST_CONTINUE:
        outcome = UNUSUAL;
        name = wire->name_receive_request_continue;
        break;
    case CALL_RESPONSE_CONTINUE:
        outcome = UNUSUAL;
        name = wire->name_receive_response_continue;
        break;
    default:
        return leave_frame(wire, self, &frame, now, events);
    }
    if (outcome != UNUSUAL)
        return outcome;
    return leave_to(name, self, data, start, start + size, frame.id, now, events);
}

/* Twin: Connection._receive_frames, with `most` < 0 for no limit. FAILED: an exception is set. */
static enum outcome
receive_frames(const struct wire *wire, PyObject *self, PyObject *data, Py_ssize_t start, PyObject *now,
               PyObject *events, Py_ssize_t most, int limited, Py_ssize_t *rest)
{
    const Py_ssize_t end = PyBytes_GET_SIZE(data);
    const uint8_t *bytes = (const uint8_t *)PyBytes_AS_STRING(data);
    for (Py_ssize_t looked_at = 0; looked_at < most; looked_at++) {
        *rest = start;
        if (end - start < HEADER_SIZE)
            return DONE;
        Py_ssize_t size = get16(bytes + start);
        if (size > end - start || size < HEADER_SIZE)
            return DONE;
        enum outcome outcome = receive_frame(wire, self, data, start, size, now, events);
        if (outcome == FAILED)
            return FAILED;
        start += size;
        if (outcome == UNUSUAL && limited)
            break;
    }
    *rest = ~start;
    return DONE;
}

enum { NO_LIMIT = 0x7FFFFFFF };

/* Twin: connection.Connection._receive_frames(self, data, start, now, events, most) */
PyObject *
wire_receive_frames(PyObject *method, PyObject *const *args, size_t nargsf, PyObject *names)
{
    const struct wire *wire = part_of(method);
    Py_ssize_t start, most, rest = 0;
    if (names != NULL || PyVectorcall_NARGS(nargsf) != 6 || !PyBytes_CheckExact(args[1])
        || (start = count_of(args[2])) < 0 || !PyFloat_CheckExact(args[3]) || !PyList_CheckExact(args[4])
        || (most = count_of(args[5])) < 0 || !wire_connection_is_usual(wire, args[0]))
        return call_twin(method, args, nargsf, names);
    if (receive_frames(wire, args[0], args[1], start, args[3], args[4], most, most != NO_LIMIT, &rest) == FAILED)
        return NULL;
    return PyLong_FromSsize_t(rest);
}

/* Whatever ran meanwhile has left the slots of the connection as they must be; 0: an exception is set. */
static int
is_still_usual(const struct wire *wire, PyObject *self)
{
    if (wire_connection_is_usual(wire, self))
        return 1;
    PyErr_SetString(PyExc_TypeError, "the connection was changed from outside while it received");
    return 0;
}

/* Keeps what is no whole frame for the next read. */
static int
keep(const struct wire *wire, PyObject *self, PyObject *data, Py_ssize_t start)
{
    PyObject *at = PyLong_FromSsize_t(start);
    if (at == NULL)
        return -1;
    PyObject *args[] = {SLOT(self, wire->connection.buffer), data, at};
    PyObject *kept = PyObject_VectorcallMethod(wire->name_keep, args, 3, NULL);
    Py_DECREF(at);
    Py_XDECREF(kept);
    return kept == NULL ? -1 : 0;
}

/* Keeps what others' turn comes before. */
static int
leave_unread(const struct wire *wire, PyObject *self, PyObject *data, Py_ssize_t start)
{
    PyObject *unread = PyLong_FromSsize_t(PyBytes_GET_SIZE(data) - start);
    if (unread == NULL)
        return -1;
    set_slot(self, wire->connection.unread, unread);
    set_slot(self, wire->connection.unread_bytes, Py_NewRef(data));
    return 0;
}

/* The end of a stream in which no frame can be found any more. */
static int
end_stream(const struct wire *wire, PyObject *self, PyObject *error, PyObject *events)
{
    if (SLOT(self, wire->connection.state) == wire->closed)
        return 0;
    PyObject *args[] = {self, Py_NewRef(error), events};
    PyObject *ended = PyObject_VectorcallMethod(wire->name_fatal, args, 3, NULL);
    Py_DECREF(error);
    Py_XDECREF(ended);
    return ended == NULL ? -1 : 0;
}

/* Twin: connection.Connection.receive(self, data, now, most=NO_LIMIT) */
PyObject *
wire_receive(PyObject *method, PyObject *const *args, size_t nargsf, PyObject *names)
{
    const struct wire *wire = part_of(method);
    Py_ssize_t count = PyVectorcall_NARGS(nargsf), most = NO_LIMIT, rest = 0;
    if (names != NULL || count < 3 || count > 4 || !PyBytes_CheckExact(args[1]) || !PyFloat_CheckExact(args[2])
        || (count == 4 && (most = count_of(args[3])) < 0) || !wire_connection_is_usual(wire, args[0]))
        return call_twin(method, args, nargsf, names);
    PyObject *self = args[0], *data = args[1];
    PyObject *buffer = SLOT(self, wire->connection.buffer);
    /* What is left of earlier reads is put before these bytes by the twin, which comes back for the
     * frames. */
    if (SLOT(buffer, wire->buffer.tail) != Py_None || SLOT(buffer, wire->buffer.error) != Py_None
        || count_of(SLOT(self, wire->connection.unread)) != 0)
        return call_twin(method, args, nargsf, names);
    PyObject *events = PyList_New(0);
    if (events == NULL)
        return NULL;
    if (receive_frames(wire, self, data, 0, args[2], events, most, most != NO_LIMIT, &rest) == FAILED)
        goto failed;
    if (!is_still_usual(wire, self))
        goto failed;
    if (rest != PyBytes_GET_SIZE(data)) {
        if (rest >= 0) {
            if (keep(wire, self, data, rest) < 0 || !is_still_usual(wire, self))
                goto failed;
        } else if (~rest != PyBytes_GET_SIZE(data)) {
            if (leave_unread(wire, self, data, ~rest) < 0)
                goto failed;
            return events;
        }
    }
    PyObject *error = SLOT(SLOT(self, wire->connection.buffer), wire->buffer.error);
    if (error != NULL && error != Py_None && end_stream(wire, self, error, events) < 0)
        goto failed;
    return events;
failed:
    Py_DECREF(events);
    return NULL;
}
