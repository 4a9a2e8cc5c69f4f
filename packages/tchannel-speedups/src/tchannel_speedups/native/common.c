#include "common.h"

int
find_slots(PyTypeObject *type, const struct slot *slots, void *into)
{
    if (type->tp_dictoffset != 0 || type->tp_itemsize != 0 || type->tp_alloc != PyType_GenericAlloc) {
        PyErr_Format(PyExc_TypeError, "%R has more than slots", type);
        return -1;
    }
    for (; slots->name != NULL; slots++) {
        PyObject *found = PyObject_GetAttrString((PyObject *)type, slots->name);
        if (found == NULL)
            return -1;
        PyMemberDef *member = NULL;
        /* One of another class lies where that class has it. */
        if (Py_IS_TYPE(found, &PyMemberDescr_Type) && PyType_IsSubtype(type, PyDescr_TYPE(found)))
            member = ((PyMemberDescrObject *)found)->d_member;
        if (member == NULL || member->type != T_OBJECT_EX) {
            PyErr_Format(PyExc_TypeError, "%s of %R is no slot", slots->name, type);
            Py_DECREF(found);
            return -1;
        }
        *(Py_ssize_t *)((char *)into + slots->field) = member->offset;
        Py_DECREF(found);
    }
    return 0;
}

PyObject *
required(PyObject *objects, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL)
        return NULL;
    PyObject *found = PyDict_GetItemWithError(objects, key);
    if (found == NULL && !PyErr_Occurred())
        PyErr_SetObject(PyExc_KeyError, key);
    Py_DECREF(key);
    return found;
}

PyTypeObject *
required_type(PyObject *objects, const char *name)
{
    PyObject *found = required(objects, name);
    if (found != NULL && !PyType_Check(found)) {
        PyErr_Format(PyExc_TypeError, "%s must be a class, not %R", name, found);
        return NULL;
    }
    return (PyTypeObject *)found;
}

static PyObject *
values_of(PyObject *objects)
{
    PyObject *list = PyDict_Values(objects);
    PyObject *values = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return values;
}

static void
free_block(PyObject *capsule)
{
    PyMem_Free(PyCapsule_GetPointer(capsule, NULL));
}

PyObject *
owner_of(PyObject *module, void *block, PyObject *objects, PyObject *twins)
{
    PyObject *capsule = PyCapsule_New(block, NULL, free_block);
    if (capsule == NULL) {
        PyMem_Free(block);
        return NULL;
    }
    PyObject *owner = NULL, *first = values_of(objects), *second = first == NULL ? NULL : values_of(twins);
    if (second != NULL)
        owner = PyTuple_Pack(4, module, first, second, capsule);
    Py_XDECREF(first);
    Py_XDECREF(second);
    Py_DECREF(capsule);
    return owner;
}

/* ---- the type of native methods ------------------------------------------------------------- */

static int
traverse(PyObject *self, visitproc visit, void *arg)
{
    NativeMethod *method = (NativeMethod *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(method->twin);
    Py_VISIT(method->owner);
    return 0;
}

/* There is no tp_clear: a method that can still be called needs all it has. The classes that it
 * stands in can be cleared, and are part of every circle. */
static void
dealloc(PyObject *self)
{
    NativeMethod *method = (NativeMethod *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(method->twin);
    Py_CLEAR(method->owner);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *
bind(PyObject *self, PyObject *object, PyObject *type)
{
    (void)type;
    return object == NULL || object == Py_None ? Py_NewRef(self) : PyMethod_New(self, object);
}

static PyObject *
repr(PyObject *self)
{
    return PyUnicode_FromFormat("<native way of %R>", ((NativeMethod *)self)->twin);
}

static PyObject *
of_twin(PyObject *self, void *name)
{
    return PyObject_GetAttrString(((NativeMethod *)self)->twin, name);
}

static PyGetSetDef attributes[] = {
    {"__name__", of_twin, NULL, NULL, "__name__"},
    {"__qualname__", of_twin, NULL, NULL, "__qualname__"},
    {"__module__", of_twin, NULL, NULL, "__module__"},
    {"__doc__", of_twin, NULL, NULL, "__doc__"},
    {"__annotations__", of_twin, NULL, NULL, "__annotations__"},
    {0},
};

static PyMemberDef members[] = {
    {"__wrapped__", T_OBJECT, offsetof(NativeMethod, twin), READONLY, NULL},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(NativeMethod, vectorcall), READONLY, NULL},
    {0},
};

static PyType_Slot type_slots[] = {
    {Py_tp_dealloc, dealloc},
    {Py_tp_traverse, traverse},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_descr_get, bind},
    {Py_tp_repr, repr},
    {Py_tp_getset, attributes},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec type_spec = {
    .name = "tchannel_speedups._native.NativeMethod",
    .basicsize = sizeof(NativeMethod),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
        | Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = type_slots,
};

int
add_native_method_type(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &type_spec, NULL);
    module_state(module)->native_method = (PyTypeObject *)type;
    return type == NULL ? -1 : 0;
}

PyObject *
new_native_method(
    PyObject *module, vectorcallfunc function, PyObject *twin, const void *part, PyObject *owner)
{
    if (!PyFunction_Check(twin))
        return PyErr_Format(PyExc_TypeError, "only a Python function has a native way, not %R", twin);
    PyTypeObject *type = module_state(module)->native_method;
    if (type == NULL)
        return PyErr_Format(PyExc_RuntimeError, "the native module is being unloaded");
    NativeMethod *method = PyObject_GC_New(NativeMethod, type);
    if (method == NULL)
        return NULL;
    method->vectorcall = function;
    method->twin = Py_NewRef(twin);
    method->part = part;
    method->owner = Py_NewRef(owner);
    PyObject_GC_Track(method);
    return (PyObject *)method;
}
