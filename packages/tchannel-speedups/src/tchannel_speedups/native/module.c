/* The extension module: loaded by the main interpreter only, and on builds with a GIL only. */

#include "common.h"
#include "thrift/thrift.h"
#include "wire/wire.h"

struct module_state *
module_state(PyObject *module)
{
    return PyModule_GetState(module);
}

typedef uint32_t (*checksum_function)(const struct checksum_tables *, uint32_t, const void *, size_t);

static PyObject *
checksum(PyObject *module, PyObject *data, checksum_function function)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    uint32_t value = function(&module_state(module)->checksums, 0, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLong(value);
}

static PyObject *
checksum_crc32(PyObject *module, PyObject *data)
{
    return checksum(module, data, crc32_of);
}

static PyObject *
checksum_crc32c(PyObject *module, PyObject *data)
{
    return checksum(module, data, crc32c_of);
}

static PyMethodDef functions[] = {
    {"crc32", checksum_crc32, METH_O, NULL},
    {"crc32c", checksum_crc32c, METH_O, NULL},
    {"wire_ways", wire_ways, METH_VARARGS, NULL},
    {"new_plan", thrift_new_plan, METH_NOARGS, NULL},
    {"fill_plan", thrift_fill_plan, METH_VARARGS, NULL},
    {"codec", thrift_codec, METH_VARARGS, NULL},
    {"construct_by", thrift_construct_by, METH_VARARGS, NULL},
    {0},
};

static int
execute(PyObject *module)
{
#ifdef Py_GIL_DISABLED
    (void)module;
    PyErr_SetString(PyExc_ImportError, "this Python is free-threaded");
    return -1;
#else
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "this is a subinterpreter");
        return -1;
    }
    make_checksum_tables(&module_state(module)->checksums);
    if (add_native_method_type(module) < 0)
        return -1;
    return add_thrift_types(module);
#endif
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(module_state(module)->native_method);
    Py_VISIT(module_state(module)->plan);
    Py_VISIT(module_state(module)->codec);
    return 0;
}

static int
clear(PyObject *module)
{
    Py_CLEAR(module_state(module)->native_method);
    Py_CLEAR(module_state(module)->plan);
    Py_CLEAR(module_state(module)->codec);
    return 0;
}

static void
release(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    /* Checked above as well, with words of our own: for 3.11, and for those that share the GIL. */
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "tchannel_speedups._native",
    .m_size = sizeof(struct module_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
