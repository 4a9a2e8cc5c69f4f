/* The fast ways of tchannel_wire.Connection: messages of one small frame, both ways. */
#ifndef TCHANNEL_WIRE_H
#define TCHANNEL_WIRE_H

#include "../common.h"

enum {
    MAX_FRAME_SIZE = 0xFFFF,
    HEADER_SIZE = 16,
    /* Where the service of a request begins, behind flags, ttl and tracing. */
    REQUEST_PREFIX = 46,
    /* Where the headers of a response begin, behind flags, code and tracing. */
    RESPONSE_PREFIX = 43,
    TRACING_SIZE = 25,

    CALL_REQUEST = 0x03,
    CALL_RESPONSE = 0x04,
    CALL_REQUEST_CONTINUE = 0x13,
    CALL_RESPONSE_CONTINUE = 0x14,

    /* From this size on a frame costs what its checksum and its copies cost, and the libraries that
     * the Python way takes for the checksum are faster: they interleave. */
    LARGE_FRAME = 8192,
};

#define NO_MESSAGE_ID 0xFFFFFFFFu
#define MAX_MESSAGE_ID 0xFFFFFFFEu

/* What the native ways know of the package. References are borrowed from the methods' owner. */
struct wire {
    const struct checksum_tables *checksums;

    PyTypeObject *connection_type, *buffer_type, *options_type, *outbox_type;
    PyTypeObject *call_type, *prepared_type, *request_type, *response_type;
    PyObject *request_prefixes, *response_prefixes, *response_packers;
    PyObject *open, *closed, *crc32, *crc32c;

    /* Interned; the owner has them as well. */
    PyObject *name_set_timer, *name_keep, *name_fatal, *name_receive_request, *name_receive_response,
        *name_receive_request_continue, *name_receive_response_continue;
    PyObject *call_arguments[8];

    /* The twin of receive_frames, for frames that belong to no call. */
    PyObject *receive_frames;

    struct {
        Py_ssize_t buffer, open, state, inbound, outbound, outbox, options, timer_at, max_arg1, max_single,
            next_id, wrapped, unread, unread_bytes, request_prefix, request_service, request_headers,
            request_checksum_type, response_prefix, response_headers, response_checksum_type;
    } connection;
    struct {
        Py_ssize_t tail, error;
    } buffer;
    struct {
        Py_ssize_t max_headers, max_header_key_length, max_header_value_length;
    } options;
    struct {
        Py_ssize_t frames, size, pulled;
    } outbox;
    struct {
        Py_ssize_t id, connection, context, tracing, ttl, deadline, number, flow;
    } call;
    struct {
        Py_ssize_t prefix, arg1_chunk, size, checksum_type;
    } prepared;
    struct {
        Py_ssize_t id, flags, ttl_ms, deadline, tracing, service, headers, checksum_type, arg1, arg2, arg3,
            more, context, flow;
    } request;
    struct {
        Py_ssize_t id, context, code, tracing, headers, checksum_type, arg2, arg3, more;
    } response;
};

/* wire_ways(objects, twins): by their names, the native methods in place of the twins. */
PyObject *wire_ways(PyObject *module, PyObject *arguments);

/* A stretch of bytes. */
struct span {
    const uint8_t *at;
    Py_ssize_t size;
};

static inline struct span
span_of(PyObject *bytes)
{
    return (struct span){(const uint8_t *)PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes)};
}

/* Computes the checksum of up to three args in a row. UNUSUAL: the type is no CRC. */
enum outcome wire_checksum(
    const struct wire *wire, PyObject *type, const struct span *args, int count, uint32_t *value);

/* The slots of a connection that the native ways need are of the types that they are in a connection
 * that nobody tampers with. */
int wire_connection_is_usual(const struct wire *wire, PyObject *connection);

/* Lets a connection's timer go off at a deadline, if that is the first. */
enum outcome wire_arm(const struct wire *wire, PyObject *connection, PyObject *deadline);

/* The native ways, by the names of their twins. */
PyObject *wire_receive(PyObject *, PyObject *const *, size_t, PyObject *);
PyObject *wire_receive_frames(PyObject *, PyObject *const *, size_t, PyObject *);
PyObject *wire_call(PyObject *, PyObject *const *, size_t, PyObject *);
PyObject *wire_respond(PyObject *, PyObject *const *, size_t, PyObject *);

#endif
