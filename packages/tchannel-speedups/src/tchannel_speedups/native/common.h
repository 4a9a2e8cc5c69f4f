/* What all parts stand on: slots of Python objects, methods that stand in for Python functions. */
#ifndef TCHANNEL_COMMON_H
#define TCHANNEL_COMMON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "checksums.h"

/* How a native way went that may meet what it does not know. */
enum outcome {
    FAILED = -1, /* an exception is set */
    UNUSUAL = 0, /* nothing was changed: the Python twin has to do it */
    DONE = 1,
};

/* ---- the module's own state: each interpreter would have one; only the main one loads it ---- */

struct module_state {
    PyTypeObject *native_method;
    PyTypeObject *plan, *codec; /* thrift */
    struct checksum_tables checksums;
};

struct module_state *module_state(PyObject *module);

/* ---- slots ----------------------------------------------------------------------------------
 *
 * Data stays in the Python classes. A slot is read and written at the offset that its member
 * descriptor names, on objects whose type was checked before. It is NULL while it is not set.
 */

#define SLOT(object, offset) (*(PyObject **)((char *)(object) + (offset)))

/* A slot by its name, and where in a struct its offset is kept. */
struct slot {
    const char *name;
    size_t field;
};

/* Reads the offsets of a class's slots, until a name is NULL. -1: TypeError, it has no such slot, or
 * its instances have a dict besides, which `new_instance` would not make. */
int find_slots(PyTypeObject *type, const struct slot *slots, void *into);

/* Puts a new reference into a slot. What stood there may run code when it goes: do this last. */
static inline void
set_slot(PyObject *object, Py_ssize_t offset, PyObject *value)
{
    PyObject *old = SLOT(object, offset);
    SLOT(object, offset) = value;
    Py_XDECREF(old);
}

/* An int that is 0 or more, or -1 if it is none, or too large; no exception is set. */
static inline Py_ssize_t
count_of(PyObject *object)
{
    if (object == NULL || !PyLong_CheckExact(object))
        return -1;
    Py_ssize_t value = PyLong_AsSsize_t(object);
    if (value == -1 && PyErr_Occurred())
        PyErr_Clear();
    return value;
}

/* A new instance without a call of its __init__; all of its slots are empty. On CPython 3.11 this can
 * set off a collection of garbage, which runs finalizers: whatever was looked at before may be another
 * thing by then. */
static inline PyObject *
new_instance(PyTypeObject *type)
{
    return type->tp_alloc(type, 0);
}

/* ---- native methods -------------------------------------------------------------------------
 *
 * Stands in a class where a Python function stood, and knows it: as __wrapped__ it gives its
 * signature, its name and its text, and in C it is called for whatever is unusual. It binds as
 * functions do, so that calls of methods make no bound method (Py_TPFLAGS_METHOD_DESCRIPTOR).
 *
 * A native way is a vectorcallfunc: its first argument is the NativeMethod.
 */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *twin;
    const void *part; /* what the part knows: offsets, borrowed references */
    PyObject *owner;  /* keeps all of that alive */
} NativeMethod;

static inline const void *
part_of(PyObject *method)
{
    return ((NativeMethod *)method)->part;
}

/* Calls the Python twin with the arguments as they were given. */
static inline PyObject *
call_twin(PyObject *method, PyObject *const *args, size_t nargsf, PyObject *names)
{
    return PyObject_Vectorcall(((NativeMethod *)method)->twin, args, nargsf, names);
}

PyObject *new_native_method(
    PyObject *module, vectorcallfunc function, PyObject *twin, const void *part, PyObject *owner);

/* Makes the type of native methods, once for a module. */
int add_native_method_type(PyObject *module);

/* The object of that name in a dict (a borrowed reference); KeyError if there is none. */
PyObject *required(PyObject *objects, const char *name);

/* The same, which must be a class. */
PyTypeObject *required_type(PyObject *objects, const char *name);

/* What keeps a part alive: the module, the values of two dicts, and a block of PyMem_Malloc's that
 * goes with it. All in tuples, which the collector never empties: a method that garbage can still call
 * has what it needs. The block is taken over, even when this fails. */
PyObject *owner_of(PyObject *module, void *block, PyObject *objects, PyObject *twins);

/* ---- numbers on the wire -------------------------------------------------------------------- */

static inline uint32_t
get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t
get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint8_t *
put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static inline uint8_t *
put32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
    return at + 4;
}

static inline uint8_t *
put_bytes(uint8_t *at, const void *bytes, Py_ssize_t size)
{
    memcpy(at, bytes, (size_t)size);
    return at + size;
}

#endif
