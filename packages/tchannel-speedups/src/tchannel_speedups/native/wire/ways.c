/* What the native ways of wire know of the package, looked up once; and what all of them use. */

#include "wire.h"

#define IN(part, name) offsetof(struct wire, part.name)

static const struct slot connection_slots[] = {
    {"_buffer", IN(connection, buffer)},
    {"_open", IN(connection, open)},
    {"_state", IN(connection, state)},
    {"inbound", IN(connection, inbound)},
    {"outbound", IN(connection, outbound)},
    {"_outbox", IN(connection, outbox)},
    {"options", IN(connection, options)},
    {"_timer_at", IN(connection, timer_at)},
    {"_max_arg1", IN(connection, max_arg1)},
    {"_max_single", IN(connection, max_single)},
    {"_next_id", IN(connection, next_id)},
    {"_wrapped", IN(connection, wrapped)},
    {"unread", IN(connection, unread)},
    {"_unread", IN(connection, unread_bytes)},
    {"_request_prefix", IN(connection, request_prefix)},
    {"_request_service", IN(connection, request_service)},
    {"_request_headers", IN(connection, request_headers)},
    {"_request_checksum_type", IN(connection, request_checksum_type)},
    {"_response_prefix", IN(connection, response_prefix)},
    {"_response_headers", IN(connection, response_headers)},
    {"_response_checksum_type", IN(connection, response_checksum_type)},
    {0},
};
static const struct slot buffer_slots[] = {
    {"_tail", IN(buffer, tail)},
    {"error", IN(buffer, error)},
    {0},
};
static const struct slot options_slots[] = {
    {"max_headers", IN(options, max_headers)},
    {"max_header_key_length", IN(options, max_header_key_length)},
    {"max_header_value_length", IN(options, max_header_value_length)},
    {0},
};
static const struct slot outbox_slots[] = {
    {"frames", IN(outbox, frames)},
    {"size", IN(outbox, size)},
    {"pulled", IN(outbox, pulled)},
    {0},
};
static const struct slot call_slots[] = {
    {"id", IN(call, id)},
    {"connection", IN(call, connection)},
    {"context", IN(call, context)},
    {"tracing", IN(call, tracing)},
    {"ttl", IN(call, ttl)},
    {"deadline", IN(call, deadline)},
    {"_number", IN(call, number)},
    {"_flow", IN(call, flow)},
    {0},
};
static const struct slot prepared_slots[] = {
    {"_prefix", IN(prepared, prefix)},
    {"_arg1_chunk", IN(prepared, arg1_chunk)},
    {"_size", IN(prepared, size)},
    {"checksum_type", IN(prepared, checksum_type)},
    {0},
};
static const struct slot request_slots[] = {
    {"id", IN(request, id)},
    {"flags", IN(request, flags)},
    {"ttl_ms", IN(request, ttl_ms)},
    {"deadline", IN(request, deadline)},
    {"tracing", IN(request, tracing)},
    {"service", IN(request, service)},
    {"headers", IN(request, headers)},
    {"checksum_type", IN(request, checksum_type)},
    {"arg1", IN(request, arg1)},
    {"arg2", IN(request, arg2)},
    {"arg3", IN(request, arg3)},
    {"more", IN(request, more)},
    {"context", IN(request, context)},
    {"_flow", IN(request, flow)},
    {0},
};
static const struct slot response_slots[] = {
    {"id", IN(response, id)},
    {"context", IN(response, context)},
    {"code", IN(response, code)},
    {"tracing", IN(response, tracing)},
    {"headers", IN(response, headers)},
    {"checksum_type", IN(response, checksum_type)},
    {"arg2", IN(response, arg2)},
    {"arg3", IN(response, arg3)},
    {"more", IN(response, more)},
    {0},
};

/* A class by its name, with the offsets of its slots. */
static int
find_class(
    struct wire *wire, PyObject *objects, const char *name, const struct slot *slots, PyTypeObject **type)
{
    *type = required_type(objects, name);
    return *type == NULL ? -1 : find_slots(*type, slots, wire);
}

/* An interned name; `objects` keeps it, under itself. */
static PyObject *
name_in(PyObject *objects, const char *text)
{
    PyObject *name = PyUnicode_InternFromString(text);
    if (name == NULL || PyDict_SetItem(objects, name, name) < 0) {
        Py_XDECREF(name);
        return NULL;
    }
    Py_DECREF(name);
    return name;
}

/* Fills in what is known of the package. -1: something in it is not what it is taken for. */
static int
look_around(struct wire *wire, PyObject *objects, PyObject *twins)
{
    if (find_class(wire, objects, "Connection", connection_slots, &wire->connection_type) < 0
        || find_class(wire, objects, "FrameBuffer", buffer_slots, &wire->buffer_type) < 0
        || find_class(wire, objects, "Options", options_slots, &wire->options_type) < 0
        || find_class(wire, objects, "Outbox", outbox_slots, &wire->outbox_type) < 0
        || find_class(wire, objects, "OutboundCall", call_slots, &wire->call_type) < 0
        || find_class(wire, objects, "PreparedCall", prepared_slots, &wire->prepared_type) < 0
        || find_class(wire, objects, "RequestReceived", request_slots, &wire->request_type) < 0
        || find_class(wire, objects, "ResponseReceived", response_slots, &wire->response_type) < 0)
        return -1;
    static const struct slot caches[] = {
        {"request_prefixes", offsetof(struct wire, request_prefixes)},
        {"response_prefixes", offsetof(struct wire, response_prefixes)},
        {"response_packers", offsetof(struct wire, response_packers)},
        {0},
    };
    for (const struct slot *one = caches; one->name != NULL; one++) {
        PyObject *cache = required(objects, one->name);
        if (cache == NULL)
            return -1;
        if (!PyDict_Check(cache)) {
            PyErr_Format(PyExc_TypeError, "%s must be a dict", one->name);
            return -1;
        }
        *(PyObject **)((char *)wire + one->field) = cache;
    }
    if ((wire->open = required(objects, "OPEN")) == NULL
        || (wire->closed = required(objects, "CLOSED")) == NULL
        || (wire->crc32 = required(objects, "CRC32")) == NULL
        || (wire->crc32c = required(objects, "CRC32C")) == NULL
        || (wire->receive_frames = required(twins, "receive_frames")) == NULL)
        return -1;
    if ((wire->name_set_timer = name_in(objects, "_set_timer")) == NULL
        || (wire->name_keep = name_in(objects, "keep")) == NULL
        || (wire->name_fatal = name_in(objects, "_fatal")) == NULL
        || (wire->name_receive_request = name_in(objects, "_receive_call_request")) == NULL
        || (wire->name_receive_response = name_in(objects, "_receive_call_response")) == NULL
        || (wire->name_receive_request_continue = name_in(objects, "_receive_call_request_continue")) == NULL
        || (wire->name_receive_response_continue = name_in(objects, "_receive_call_response_continue")) == NULL)
        return -1;
    static const char *const names[] = {
        "prepared", "arg2", "arg3", "ttl", "tracing", "now", "context", "stream_response"};
    for (int i = 0; i < 8; i++)
        if ((wire->call_arguments[i] = name_in(objects, names[i])) == NULL)
            return -1;
    return 0;
}

PyObject *
wire_ways(PyObject *module, PyObject *arguments)
{
    PyObject *given, *twins;
    if (!PyArg_ParseTuple(arguments, "O!O!:wire_ways", &PyDict_Type, &given, &PyDict_Type, &twins))
        return NULL;
    struct wire *wire = PyMem_Calloc(1, sizeof *wire);
    if (wire == NULL)
        return PyErr_NoMemory();
    wire->checksums = &module_state(module)->checksums;
    /* With the names that are interned here. */
    PyObject *objects = PyDict_Copy(given);
    if (objects == NULL || look_around(wire, objects, twins) < 0) {
        Py_XDECREF(objects);
        PyMem_Free(wire);
        return NULL;
    }
    static const struct {
        const char *name;
        vectorcallfunc function;
    } ways[] = {
        {"receive", wire_receive},
        {"receive_frames", wire_receive_frames},
        {"call", wire_call},
        {"respond", wire_respond},
    };
    PyObject *made = NULL;
    PyObject *owner = owner_of(module, wire, objects, twins);
    Py_DECREF(objects);
    if (owner == NULL)
        return NULL;
    if ((made = PyDict_New()) == NULL)
        goto failed;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        PyObject *twin = required(twins, ways[i].name);
        if (twin == NULL)
            goto failed;
        PyObject *method = new_native_method(module, ways[i].function, twin, wire, owner);
        if (method == NULL)
            goto failed;
        int bad = PyDict_SetItemString(made, ways[i].name, method);
        Py_DECREF(method);
        if (bad < 0)
            goto failed;
    }
    Py_DECREF(owner);
    return made;
failed:
    Py_XDECREF(made);
    Py_DECREF(owner);
    return NULL;
}

/* ---- what all ways use ---------------------------------------------------------------------- */

enum outcome
wire_checksum(
    const struct wire *wire, PyObject *type, const struct span *args, int count, uint32_t *value)
{
    uint32_t found = 0;
    if (type == wire->crc32c) {
        for (int i = 0; i < count; i++)
            found = crc32c_of(wire->checksums, found, args[i].at, (size_t)args[i].size);
    } else if (type == wire->crc32) {
        for (int i = 0; i < count; i++)
            found = crc32_of(wire->checksums, found, args[i].at, (size_t)args[i].size);
    } else {
        return UNUSUAL;
    }
    *value = found;
    return DONE;
}

static int
is_set(PyObject *object, Py_ssize_t offset)
{
    return SLOT(object, offset) != NULL;
}

int
wire_connection_is_usual(const struct wire *wire, PyObject *self)
{
    if (!PyObject_TypeCheck(self, wire->connection_type))
        return 0;
    if (!is_set(self, wire->connection.inbound) || !is_set(self, wire->connection.outbound)
        || !is_set(self, wire->connection.outbox) || !is_set(self, wire->connection.buffer)
        || !is_set(self, wire->connection.timer_at))
        return 0;
    PyObject *outbox = SLOT(self, wire->connection.outbox);
    PyObject *buffer = SLOT(self, wire->connection.buffer);
    return PyDict_CheckExact(SLOT(self, wire->connection.inbound))
        && PyDict_CheckExact(SLOT(self, wire->connection.outbound))
        && PyFloat_CheckExact(SLOT(self, wire->connection.timer_at))
        && Py_IS_TYPE(outbox, wire->outbox_type) && Py_IS_TYPE(buffer, wire->buffer_type)
        && is_set(outbox, wire->outbox.frames) && PyList_CheckExact(SLOT(outbox, wire->outbox.frames));
}

enum outcome
wire_arm(const struct wire *wire, PyObject *self, PyObject *deadline)
{
    PyObject *timer_at = SLOT(self, wire->connection.timer_at);
    if (!(PyFloat_AS_DOUBLE(deadline) < PyFloat_AS_DOUBLE(timer_at)))
        return DONE;
    Py_INCREF(deadline);
    PyObject *done = PyObject_CallMethodOneArg(self, wire->name_set_timer, deadline);
    Py_DECREF(deadline);
    if (done == NULL)
        return FAILED;
    Py_DECREF(done);
    /* That ran what the owner of the deadlines wants to know. */
    if (wire_connection_is_usual(wire, self))
        return DONE;
    PyErr_SetString(PyExc_TypeError, "the connection was changed from outside while its timer was set");
    return FAILED;
}
