/* The Thrift codec: what is known of a struct, and the ways to write, read and construct it.
 *
 * All ways know the usual only. Whatever is not (a value of another class, a payload that ends early,
 * a limit that is passed) ends them without a trace, and the Python function that stands behind is
 * called with the same arguments: it knows every rule, and says what is wrong.
 */
#ifndef TCHANNEL_THRIFT_H
#define TCHANNEL_THRIFT_H

#include "../common.h"

/* Types of the IDL, as C tells them apart. */
enum kind {
    KIND_BOOL = '?',
    KIND_BYTE = 'b',
    KIND_I16 = 'h',
    KIND_I32 = 'i',
    KIND_I64 = 'q',
    KIND_DOUBLE = 'd',
    KIND_ENUM = 'e', /* with members; other enums are as i32 */
    KIND_TEXT = 't',
    KIND_BINARY = 'y',
    KIND_UUID = 'u',
    KIND_LIST = 'l',
    KIND_SET = 's',
    KIND_MAP = 'm',
    KIND_STRUCT = 'S',
};

/* Type codes of the Binary Protocol: tchannel_thrift.rw.wire.ttype. */
enum {
    CODE_BOOL = 2,
    CODE_BYTE = 3,
    CODE_DOUBLE = 4,
    CODE_I16 = 6,
    CODE_I32 = 8,
    CODE_I64 = 10,
    CODE_BINARY = 11,
    CODE_STRUCT = 12,
    CODE_MAP = 13,
    CODE_SET = 14,
    CODE_LIST = 15,
    CODE_UUID = 16,
};

/* Structs and containers within each other, that the C stack has to hold. */
#define MAX_LEVELS 160

/* A type. */
struct node {
    char kind;
    uint8_t code;      /* on the wire */
    uint8_t least;     /* bytes that a value takes at least */
    int64_t own, each; /* memory of a container and of each element, as Budget counts it */
    struct node *item; /* of elements, or of keys */
    struct node *value;
    PyObject *plan;   /* of a struct */
    PyObject *type;   /* the class of values: uuid, enum */
    PyObject *reads;  /* enum: its members by value; uuid: makes it of bytes; else: freezes an element */
    PyObject *writes; /* uuid: gives its bytes */
};

struct field {
    struct node *node;
    Py_ssize_t offset;
    PyObject *name;
    PyObject *default_value; /* None if there is none */
    int id;
    uint8_t head[3];
    char required;
    char must;  /* be given: it is required and has no default */
    char fresh; /* the default can change: it is copied each time */
};

/* What is known of a struct, union or exception: a Python object, kept with its class.
 *
 * Structs that contain each other are circles of plans alone, which the collector has to break (tp_clear).
 * Codec has none: who can still be called needs all it has, and a class is part of all of its circles. */
typedef struct {
    PyObject_HEAD
    PyTypeObject *surface;
    newfunc made_by; /* the class's tp_new when the plan was made: nobody has put another there */
    PyObject *copy;  /* copy.deepcopy */
    int64_t weight;
    Py_ssize_t count;
    struct field *fields;
    Py_ssize_t *by_id; /* places of the fields in the order of their ids */
    Py_ssize_t *order; /* and in that of the constructor's arguments */
    char is_union;
    char allow_empty;
    char has_default; /* a union, whose default stands where no value is given */
    char may_skip;    /* fields that are unknown are no error */
    char is_exception;
    char ready;
} Plan;

static inline int64_t
get64(const uint8_t *at)
{
    return (int64_t)((uint64_t)get32(at) << 32 | get32(at + 4));
}

static inline uint8_t *
put64(uint8_t *at, uint64_t value)
{
    return put32(put32(at, (uint32_t)(value >> 32)), (uint32_t)value);
}

/* The value of an int or of an instance of a subclass. 0: it is none, or takes more than 64 bits. */
static inline int
int64_of(PyObject *object, int64_t *value)
{
    if (!PyLong_Check(object))
        return 0;
#if PY_VERSION_HEX >= 0x030C0000
    if (PyUnstable_Long_IsCompact((PyLongObject *)object)) {
        *value = PyUnstable_Long_CompactValue((PyLongObject *)object);
        return 1;
    }
#endif
    int overflow;
    *value = PyLong_AsLongLongAndOverflow(object, &overflow);
    return !overflow;
}

/* Whether a number is in the range of an integer type. */
static inline int
fits(char kind, int64_t value)
{
    switch (kind) {
    case KIND_I64:
        return 1;
    case KIND_I16:
        return value == (int16_t)value;
    case KIND_BYTE:
        return value == (int8_t)value;
    default:
        return value == (int32_t)value;
    }
}

/* Whether nothing but the usual way has failed: the Python way is to be gone. An error that is no
 * Exception, or says that memory is short, stays set. */
int may_be_retried(void);

/* A new, empty instance of a plan's class. */
PyObject *new_of(const Plan *plan);

/* A field's default: a new reference. */
PyObject *default_of(const Plan *plan, const struct field *field);

/* The payload of an instance. NULL without an error: it is unusual. */
PyObject *thrift_dump(const Plan *plan, PyObject *instance);

/* What the values of a payload may come to. */
struct limits {
    int64_t max_objects;
    int64_t max_decoded_size;
};

/* The instance that a payload starts with. NULL without an error: it is unusual. */
PyObject *thrift_load(const Plan *plan, PyObject *payload, Py_ssize_t depth, const struct limits *limits);

/* Stands for a class when it is called; see construct.c. */
int remember_names(void);

/* Functions of the module. */
PyObject *thrift_new_plan(PyObject *module, PyObject *nothing);
PyObject *thrift_fill_plan(PyObject *module, PyObject *arguments);
PyObject *thrift_codec(PyObject *module, PyObject *arguments);
PyObject *thrift_construct_by(PyObject *module, PyObject *arguments);

/* Makes the types of plans and codecs, once for a module. */
int add_thrift_types(PyObject *module);

#endif
