/* Writing an instance with the Binary Protocol.
 *
 * Twin: tchannel_thrift.rw.codegen.encoder, and of values that it leaves alone the write_to of the
 * specs. Only values of Python's own classes are written here, and instances of just the generated
 * classes: so no code of anybody's runs, but for what a collection of garbage may run.
 */

#include "thrift.h"

struct out {
    uint8_t *at, *end;
    PyObject *bytes; /* once there is not enough place in `small` */
    int level;
    uint8_t small[1024];
};

static int write_struct(struct out *out, const Plan *plan, PyObject *instance);

/* Makes room for so many bytes more. */
static int
grow(struct out *out, Py_ssize_t more)
{
    uint8_t *start = out->bytes == NULL ? out->small : (uint8_t *)PyBytes_AS_STRING(out->bytes);
    Py_ssize_t used = out->at - start, size = out->end - start;
    if (more > PY_SSIZE_T_MAX / 4 - used) {
        PyErr_NoMemory();
        return -1;
    }
    /* One long string: no byte more than is needed. */
    size = used + more > 2 * size ? used + more + 64 : 2 * size;
    if (out->bytes == NULL) {
        out->bytes = PyBytes_FromStringAndSize(NULL, size);
        if (out->bytes == NULL)
            return -1;
        memcpy(PyBytes_AS_STRING(out->bytes), out->small, (size_t)used);
    } else if (_PyBytes_Resize(&out->bytes, size) < 0) {
        return -1;
    }
    start = (uint8_t *)PyBytes_AS_STRING(out->bytes);
    out->at = start + used;
    out->end = start + size;
    return 0;
}

static inline int
room(struct out *out, Py_ssize_t size)
{
    return out->end - out->at < size ? grow(out, size) : 0;
}

static int
write_counted(struct out *out, const void *bytes, Py_ssize_t size)
{
    if (size > INT32_MAX || room(out, size + 4) < 0)
        return -1;
    out->at = put_bytes(put32(out->at, (uint32_t)size), bytes, size);
    return 0;
}

/* str and bytes stand for each other, as in thriftrw. */
static int
write_text(struct out *out, PyObject *value)
{
    if (PyUnicode_CheckExact(value)) {
        if (PyUnicode_IS_COMPACT_ASCII(value))
            return write_counted(out, PyUnicode_1BYTE_DATA(value), PyUnicode_GET_LENGTH(value));
        PyObject *bytes = PyUnicode_AsUTF8String(value); /* which is not kept with the str */
        if (bytes == NULL)
            return -1;
        int done = write_counted(out, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
        Py_DECREF(bytes);
        return done;
    }
    if (PyBytes_CheckExact(value))
        return write_counted(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
    return -1;
}

static int
write_double(struct out *out, PyObject *value)
{
    double number;
    if (PyFloat_Check(value)) {
        number = PyFloat_AS_DOUBLE(value);
    } else if (PyLong_CheckExact(value)) {
        number = PyLong_AsDouble(value);
        if (number == -1.0 && PyErr_Occurred())
            return -1;
    } else {
        return -1;
    }
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    if (room(out, 8) < 0)
        return -1;
    out->at = put64(out->at, bits);
    return 0;
}

static int write_value(struct out *out, const struct node *node, PyObject *value);

static int
write_list(struct out *out, const struct node *node, PyObject *value)
{
    int is_list = PyList_CheckExact(value) || PyTuple_CheckExact(value);
    if (!is_list && !PyAnySet_CheckExact(value))
        return -1;
    Py_ssize_t count = is_list ? PySequence_Fast_GET_SIZE(value) : PySet_GET_SIZE(value);
    if (count > INT32_MAX || room(out, 5) < 0)
        return -1;
    *out->at++ = node->item->code;
    out->at = put32(out->at, (uint32_t)count);
    if (is_list) {
        for (Py_ssize_t i = 0; i < count; i++) {
            if (i >= PySequence_Fast_GET_SIZE(value))
                return -1; /* a collection of garbage has shortened it */
            PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(value, i));
            int done = write_value(out, node->item, item);
            Py_DECREF(item);
            if (done < 0)
                return -1;
        }
        return PySequence_Fast_GET_SIZE(value) == count ? 0 : -1;
    }
    PyObject *items = PyObject_GetIter(value), *item;
    if (items == NULL)
        return -1;
    Py_ssize_t written = 0;
    while ((item = PyIter_Next(items)) != NULL) {
        int done = write_value(out, node->item, item);
        Py_DECREF(item);
        if (done < 0)
            break;
        written++;
    }
    Py_DECREF(items);
    return item == NULL && !PyErr_Occurred() && written == count ? 0 : -1;
}

static int
write_map(struct out *out, const struct node *node, PyObject *value)
{
    if (!PyDict_CheckExact(value))
        return -1;
    Py_ssize_t count = PyDict_GET_SIZE(value), at = 0, written = 0;
    if (count > INT32_MAX || room(out, 6) < 0)
        return -1;
    *out->at++ = node->item->code;
    *out->at++ = node->value->code;
    out->at = put32(out->at, (uint32_t)count);
    PyObject *key, *item;
    while (PyDict_Next(value, &at, &key, &item)) {
        Py_INCREF(key);
        Py_INCREF(item);
        int done = write_value(out, node->item, key) < 0 ? -1 : write_value(out, node->value, item);
        Py_DECREF(key);
        Py_DECREF(item);
        if (done < 0)
            return -1;
        written++;
    }
    return written == count && PyDict_GET_SIZE(value) == count ? 0 : -1;
}

static int
write_uuid(struct out *out, const struct node *node, PyObject *value)
{
    if ((PyObject *)Py_TYPE(value) != node->type)
        return -1;
    PyObject *bytes = PyObject_CallOneArg(node->writes, value);
    if (bytes == NULL)
        return -1;
    int done = -1;
    if (PyBytes_CheckExact(bytes) && PyBytes_GET_SIZE(bytes) == 16 && room(out, 16) == 0) {
        out->at = put_bytes(out->at, PyBytes_AS_STRING(bytes), 16);
        done = 0;
    }
    Py_DECREF(bytes);
    return done;
}

static int
write_value(struct out *out, const struct node *node, PyObject *value)
{
    int64_t number;
    int done = -1;
    switch (node->kind) {
    case KIND_BOOL:
        if ((value != Py_True && value != Py_False) || room(out, 1) < 0)
            return -1;
        *out->at++ = value == Py_True;
        return 0;
    case KIND_BYTE:
    case KIND_I16:
    case KIND_I32:
    case KIND_ENUM:
    case KIND_I64:
        if (!int64_of(value, &number) || !fits(node->kind, number) || room(out, 8) < 0)
            return -1;
        if (node->kind == KIND_I64)
            out->at = put64(out->at, (uint64_t)number);
        else if (node->kind == KIND_I16)
            out->at = put16(out->at, (uint32_t)number);
        else if (node->kind == KIND_BYTE)
            *out->at++ = (uint8_t)number;
        else
            out->at = put32(out->at, (uint32_t)number);
        return 0;
    case KIND_DOUBLE:
        return write_double(out, value);
    case KIND_TEXT:
    case KIND_BINARY:
        return write_text(out, value);
    case KIND_UUID:
        return write_uuid(out, node, value);
    default:
        break;
    }
    if (out->level >= MAX_LEVELS)
        return -1;
    out->level++;
    if (node->kind == KIND_STRUCT)
        done = write_struct(out, (const Plan *)node->plan, value);
    else if (node->kind == KIND_MAP)
        done = write_map(out, node, value);
    else
        done = write_list(out, node, value);
    out->level--;
    return done;
}

static int
write_struct(struct out *out, const Plan *plan, PyObject *instance)
{
    if (!plan->ready || !Py_IS_TYPE(instance, plan->surface))
        return -1;
    int given = 0;
    for (Py_ssize_t i = 0; i < plan->count; i++) {
        const struct field *field = &plan->fields[i];
        PyObject *value = SLOT(instance, field->offset);
        if (value == NULL)
            return -1; /* somebody has deleted it */
        if (value == Py_None) {
            if (field->required)
                return -1;
            continue;
        }
        if (plan->is_union && given++)
            return -1;
        if (room(out, 3) < 0)
            return -1;
        out->at = put_bytes(out->at, field->head, 3);
        Py_INCREF(value);
        int done = write_value(out, field->node, value);
        Py_DECREF(value);
        if (done < 0)
            return -1;
    }
    if ((plan->is_union && !given && !plan->allow_empty) || room(out, 1) < 0)
        return -1;
    *out->at++ = 0;
    return 0;
}

PyObject *
thrift_dump(const Plan *plan, PyObject *instance)
{
    struct out out;
    out.at = out.small;
    out.end = out.small + sizeof out.small;
    out.bytes = NULL;
    out.level = 0;
    if (write_struct(&out, plan, instance) < 0) {
        Py_XDECREF(out.bytes);
        return NULL;
    }
    if (out.bytes == NULL)
        return PyBytes_FromStringAndSize((char *)out.small, out.at - out.small);
    if (_PyBytes_Resize(&out.bytes, out.at - (uint8_t *)PyBytes_AS_STRING(out.bytes)) < 0)
        return NULL;
    return out.bytes;
}
