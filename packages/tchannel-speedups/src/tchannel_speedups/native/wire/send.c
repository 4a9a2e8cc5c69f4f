/* Sending: a request or a response whose frame is small is built at one go.
 *
 * Twins: outbound.OutboundSide.call, inbound.InboundSide.respond, outbox.Outbox.append.
 */

#include "wire.h"

/* Queues a frame, whose reference is taken over. Twin: Outbox.append. */
static int
queue(const struct wire *wire, PyObject *outbox, PyObject *frame, Py_ssize_t queued)
{
    PyObject *size = PyLong_FromSsize_t(queued + PyBytes_GET_SIZE(frame));
    if (size == NULL || PyList_Append(SLOT(outbox, wire->outbox.frames), frame) < 0) {
        Py_XDECREF(size);
        Py_DECREF(frame);
        return -1;
    }
    Py_DECREF(frame);
    set_slot(outbox, wire->outbox.size, size);
    return 0;
}

/* Writes the size, the type and the id of a frame; the rest of its header is zero. */
static uint8_t *
put_header(uint8_t *at, Py_ssize_t size, uint8_t type, uint32_t id)
{
    at = put16(at, (uint32_t)size);
    *at++ = type;
    *at++ = 0;
    at = put32(at, id);
    memset(at, 0, 8);
    return at + 8;
}

static uint8_t *
put_chunk(uint8_t *at, struct span chunk)
{
    at = put16(at, (uint32_t)chunk.size);
    return put_bytes(at, chunk.at, chunk.size);
}

/* ---- calling -------------------------------------------------------------------------------- */

/* The arguments of `call`, and what was found of them. */
struct outgoing {
    PyObject *self, *prepared, *arg2, *arg3, *ttl, *tracing, *context;
    double now;
    Py_ssize_t size, queued, pulled;
    uint32_t id, ttl_ms;
};

/* Puts arguments given by position and by name into their places; 0 if that is not simple. */
static int
place_arguments(const struct wire *wire, PyObject *const *args, Py_ssize_t count, PyObject *names, PyObject *places[8])
{
    if (count > 8)
        return 0;
    for (Py_ssize_t i = 0; i < 8; i++)
        places[i] = i < count ? args[i] : NULL;
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t k = 0; k < named; k++) {
        Py_ssize_t i = count;
        /* By identity: names in a call are interned. */
        while (i < 8 && wire->call_arguments[i] != PyTuple_GET_ITEM(names, k))
            i++;
        if (i == 8 || places[i] != NULL)
            return 0;
        places[i] = args[count + k];
    }
    for (Py_ssize_t i = 0; i < 6; i++)
        if (places[i] == NULL)
            return 0;
    return 1;
}

/* Looks at everything that decides whether a call is usual; nothing is changed. */
static int
is_usual_call(const struct wire *wire, PyObject *const places[8], struct outgoing *out)
{
    PyObject *prepared = places[0];
    if (!wire_connection_is_usual(wire, out->self) || !Py_IS_TYPE(prepared, wire->prepared_type)
        || !PyBytes_CheckExact(places[1]) || !PyBytes_CheckExact(places[2]) || !PyFloat_CheckExact(places[3])
        || !PyBytes_CheckExact(places[4]) || PyBytes_GET_SIZE(places[4]) != TRACING_SIZE
        || !PyFloat_CheckExact(places[5]) || (places[7] != NULL && places[7] != Py_False)
        || SLOT(out->self, wire->connection.open) != Py_True
        || SLOT(out->self, wire->connection.wrapped) != Py_False)
        return 0;
    PyObject *prefix = SLOT(prepared, wire->prepared.prefix), *chunk = SLOT(prepared, wire->prepared.arg1_chunk);
    if (prefix == NULL || !PyBytes_CheckExact(prefix) || chunk == NULL || !PyBytes_CheckExact(chunk)
        || PyBytes_GET_SIZE(chunk) < 2)
        return 0;
    double ms = PyFloat_AS_DOUBLE(places[3]) * 1000;
    Py_ssize_t id = count_of(SLOT(out->self, wire->connection.next_id));
    PyObject *outbox = SLOT(out->self, wire->connection.outbox);
    out->queued = count_of(SLOT(outbox, wire->outbox.size));
    out->pulled = count_of(SLOT(outbox, wire->outbox.pulled));
    Py_ssize_t head = REQUEST_PREFIX + PyBytes_GET_SIZE(prefix) + 4 + PyBytes_GET_SIZE(chunk) + 4;
    /* The size that it says is another one where calls need the general way. */
    if (head != count_of(SLOT(prepared, wire->prepared.size)) || !(ms >= 1 && ms < 4294967296.0) || id < 1
        || id >= (Py_ssize_t)MAX_MESSAGE_ID || out->queued < 0 || out->pulled < 0)
        return 0;
    Py_ssize_t most = LARGE_FRAME - head;
    if (PyBytes_GET_SIZE(places[1]) > most || PyBytes_GET_SIZE(places[2]) > most - PyBytes_GET_SIZE(places[1]))
        return 0;
    out->prepared = prepared;
    out->arg2 = places[1];
    out->arg3 = places[2];
    out->ttl = places[3];
    out->tracing = places[4];
    out->now = PyFloat_AS_DOUBLE(places[5]);
    out->context = places[6] == NULL ? Py_None : places[6];
    out->size = head + PyBytes_GET_SIZE(places[1]) + PyBytes_GET_SIZE(places[2]);
    out->id = (uint32_t)id;
    out->ttl_ms = (uint32_t)ms;
    return 1;
}

/* The frame of a request. UNUSUAL: its checksum is no CRC. */
static enum outcome
request_frame(const struct wire *wire, const struct outgoing *out, PyObject **frame)
{
    struct span prefix = span_of(SLOT(out->prepared, wire->prepared.prefix));
    struct span chunk = span_of(SLOT(out->prepared, wire->prepared.arg1_chunk));
    struct span args[3] = {{chunk.at + 2, chunk.size - 2}, span_of(out->arg2), span_of(out->arg3)};
    uint32_t checksum;
    PyObject *type = SLOT(out->prepared, wire->prepared.checksum_type);
    if (wire_checksum(wire, type, args, 3, &checksum) != DONE)
        return UNUSUAL;
    if ((*frame = PyBytes_FromStringAndSize(NULL, out->size)) == NULL)
        return FAILED;
    uint8_t *at = (uint8_t *)PyBytes_AS_STRING(*frame);
    at = put_header(at, out->size, CALL_REQUEST, out->id);
    *at++ = 0; /* flags */
    at = put32(at, out->ttl_ms);
    at = put_bytes(at, PyBytes_AS_STRING(out->tracing), TRACING_SIZE);
    at = put_bytes(at, prefix.at, prefix.size);
    at = put32(at, checksum);
    at = put_bytes(at, chunk.at, chunk.size);
    at = put_chunk(at, args[1]);
    put_chunk(at, args[2]);
    return DONE;
}

/* Fills in a call, which is empty yet. */
static int
fill_call(const struct wire *wire, const struct outgoing *out, PyObject *call)
{
    PyObject *frames = SLOT(SLOT(out->self, wire->connection.outbox), wire->outbox.frames);
    SLOT(call, wire->call.id) = Py_NewRef(SLOT(out->self, wire->connection.next_id));
    SLOT(call, wire->call.connection) = Py_NewRef(out->self);
    SLOT(call, wire->call.context) = Py_NewRef(out->context);
    SLOT(call, wire->call.tracing) = Py_NewRef(out->tracing);
    SLOT(call, wire->call.ttl) = Py_NewRef(out->ttl);
    SLOT(call, wire->call.deadline) = PyFloat_FromDouble(out->now + PyFloat_AS_DOUBLE(out->ttl));
    SLOT(call, wire->call.number) = PyLong_FromSsize_t(out->pulled + PyList_GET_SIZE(frames));
    SLOT(call, wire->call.flow) = Py_NewRef(Py_None);
    return SLOT(call, wire->call.deadline) == NULL || SLOT(call, wire->call.number) == NULL ? -1 : 0;
}

/* Twin: outbound.OutboundSide.call(
 *     self, prepared, arg2, arg3, ttl, tracing, now, context=None, stream_response=False) */
PyObject *
wire_call(PyObject *method, PyObject *const *args, size_t nargsf, PyObject *names)
{
    const struct wire *wire = part_of(method);
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    struct outgoing out;
    PyObject *places[8], *frame = NULL, *call = NULL, *next = NULL;
    if (count < 1 || !place_arguments(wire, args + 1, count - 1, names, places))
        return call_twin(method, args, nargsf, names);
    /* Before anything is looked at: a collection of garbage, which this may set off, may make calls. */
    if ((call = new_instance(wire->call_type)) == NULL)
        return NULL;
    out.self = args[0];
    enum outcome made = is_usual_call(wire, places, &out) ? request_frame(wire, &out, &frame) : UNUSUAL;
    if (made == UNUSUAL) {
        Py_DECREF(call);
        return call_twin(method, args, nargsf, names);
    }
    if (made == FAILED || fill_call(wire, &out, call) < 0
        || (next = PyLong_FromUnsignedLong((unsigned long)out.id + 1)) == NULL)
        goto failed;
    set_slot(out.self, wire->connection.next_id, next);
    if (PyDict_SetItem(SLOT(out.self, wire->connection.outbound), SLOT(call, wire->call.id), call) < 0)
        goto failed;
    /* A call of the same id, which only tampering brings about, went, and ran what it liked. */
    if (!wire_connection_is_usual(wire, out.self)) {
        PyErr_SetString(PyExc_TypeError, "the connection was changed from outside while it called");
        goto failed;
    }
    /* It takes the frame over. */
    if (queue(wire, SLOT(out.self, wire->connection.outbox), frame, out.queued) < 0) {
        Py_DECREF(call);
        return NULL;
    }
    if (wire_arm(wire, out.self, SLOT(call, wire->call.deadline)) == FAILED) {
        Py_DECREF(call);
        return NULL;
    }
    return call;
failed:
    Py_XDECREF(frame);
    Py_DECREF(call);
    return NULL;
}

/* ---- answering ------------------------------------------------------------------------------ */

/* The frame of a response. UNUSUAL: its checksum is no CRC, it is too large, or the like. */
static enum outcome
response_frame(const struct wire *wire, PyObject *request, uint32_t id, PyObject *const *args, long code, PyObject **frame)
{
    PyObject *tracing = SLOT(request, wire->request.tracing);
    struct span block = span_of(args[0]), chunks[2] = {span_of(args[1]), span_of(args[2])};
    uint32_t checksum;
    Py_ssize_t size = RESPONSE_PREFIX + block.size + 1 + 4 + 2 + 2 + 2;
    if (tracing == NULL || !PyBytes_CheckExact(tracing) || PyBytes_GET_SIZE(tracing) != TRACING_SIZE
        || size > LARGE_FRAME || chunks[0].size > LARGE_FRAME - size
        || chunks[1].size > LARGE_FRAME - size - chunks[0].size
        || wire_checksum(wire, SLOT(request, wire->request.checksum_type), chunks, 2, &checksum) != DONE)
        return UNUSUAL;
    size += chunks[0].size + chunks[1].size;
    if ((*frame = PyBytes_FromStringAndSize(NULL, size)) == NULL)
        return FAILED;
    uint8_t *at = (uint8_t *)PyBytes_AS_STRING(*frame);
    at = put_header(at, size, CALL_RESPONSE, id);
    *at++ = 0; /* flags */
    *at++ = (uint8_t)code;
    at = put_bytes(at, PyBytes_AS_STRING(tracing), TRACING_SIZE);
    at = put_bytes(at, block.at, block.size);
    *at++ = SLOT(request, wire->request.checksum_type) == wire->crc32c ? 3 : 1;
    at = put32(at, checksum);
    at = put16(at, 0); /* arg1 */
    at = put_chunk(at, chunks[0]);
    put_chunk(at, chunks[1]);
    return DONE;
}

/* Twin: inbound.InboundSide.respond(self, id, header_block, arg2, arg3, code=0) */
PyObject *
wire_respond(PyObject *method, PyObject *const *args, size_t nargsf, PyObject *names)
{
    const struct wire *wire = part_of(method);
    Py_ssize_t count = PyVectorcall_NARGS(nargsf), id, code = 0;
    if (names != NULL || count < 5 || count > 6 || (id = count_of(args[1])) < 0 || id > (Py_ssize_t)MAX_MESSAGE_ID
        || !PyBytes_CheckExact(args[2]) || !PyBytes_CheckExact(args[3]) || !PyBytes_CheckExact(args[4])
        || (count == 6 && ((code = count_of(args[5])) < 0 || code > 0xFF)))
        return call_twin(method, args, nargsf, names);
    /* A header block that the Python way has looked at, and found right. Looked up before anything is
     * read: keys of a class of their own may run anything. */
    if (PyDict_GetItemWithError(wire->response_packers, args[2]) == NULL) {
        PyErr_Clear();
        return call_twin(method, args, nargsf, names);
    }
    PyObject *self = args[0], *frame;
    if (!wire_connection_is_usual(wire, self))
        return call_twin(method, args, nargsf, names);
    PyObject *request = PyDict_GetItemWithError(SLOT(self, wire->connection.inbound), args[1]);
    if (request == NULL) {
        if (PyErr_Occurred())
            return NULL;
        Py_RETURN_FALSE;
    }
    PyObject *outbox = SLOT(self, wire->connection.outbox);
    Py_ssize_t queued = count_of(SLOT(outbox, wire->outbox.size));
    if (queued < 0 || !Py_IS_TYPE(request, wire->request_type) || SLOT(request, wire->request.flow) != Py_None)
        return call_twin(method, args, nargsf, names);
    enum outcome made = response_frame(wire, request, (uint32_t)id, args + 2, (long)code, &frame);
    if (made != DONE)
        return made == FAILED ? NULL : call_twin(method, args, nargsf, names);
    if (queue(wire, outbox, frame, queued) < 0
        || PyDict_DelItem(SLOT(self, wire->connection.inbound), args[1]) < 0)
        return NULL;
    Py_RETURN_TRUE;
}
