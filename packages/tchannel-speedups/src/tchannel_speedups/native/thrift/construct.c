/* Constructing an instance: Struct(**fields).
 *
 * Twin: tchannel_thrift.rw.codegen.constructor, which generates the __init__ of a class. Once it has,
 * calls of the class come here (tp_vectorcall), and values that are what the IDL says go right into
 * the slots. For all others, and for subclasses, everything goes the way of Python's classes.
 */

#include "thrift.h"

#define MOST_FIELDS 128

/* The one thing that is not kept with the module: nothing but the class is at hand when it is called.
 * The same interned str for the life of the process, whoever loads the module. */
static PyObject *name_of_init;

int
remember_names(void)
{
    return (name_of_init = PyUnicode_InternFromString("__init__")) == NULL ? -1 : 0;
}

static int is_usual(const struct node *node, PyObject *value, int level);

static int
items_are_usual(const struct node *node, PyObject *value, int level)
{
    if (PyList_CheckExact(value) || PyTuple_CheckExact(value)) {
        for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(value); i++) {
            PyObject *one = Py_NewRef(PySequence_Fast_GET_ITEM(value, i));
            int usual = is_usual(node->item, one, level);
            Py_DECREF(one);
            if (!usual)
                return 0;
        }
        return 1;
    }
    if (!PyAnySet_CheckExact(value))
        return 0;
    PyObject *items = PyObject_GetIter(value), *item;
    if (items == NULL)
        return 0;
    while ((item = PyIter_Next(items)) != NULL) {
        int usual = is_usual(node->item, item, level);
        Py_DECREF(item);
        if (!usual)
            break;
    }
    Py_DECREF(items);
    return item == NULL && !PyErr_Occurred();
}

/* Whether the constructor takes a value as it is. Twins: _ConstructorWriter._check and the admit of the
 * specs. */
static int
is_usual(const struct node *node, PyObject *value, int level)
{
    int64_t number;
    PyObject *key, *item;
    Py_ssize_t at = 0;
    switch (node->kind) {
    case KIND_BOOL:
        return value == Py_True || value == Py_False;
    case KIND_DOUBLE:
        return PyFloat_CheckExact(value);
    case KIND_TEXT:
    case KIND_BINARY:
        return PyUnicode_CheckExact(value) || PyBytes_CheckExact(value);
    case KIND_ENUM:
        if ((PyObject *)Py_TYPE(value) == node->type)
            return int64_of(value, &number) && fits(KIND_I32, number);
        /* fall through */
    case KIND_BYTE:
    case KIND_I16:
    case KIND_I32:
    case KIND_I64:
        return PyLong_CheckExact(value) && int64_of(value, &number) && fits(node->kind, number);
    case KIND_UUID:
        return (PyObject *)Py_TYPE(value) == node->type;
    case KIND_STRUCT:
        return Py_IS_TYPE(value, ((Plan *)node->plan)->surface);
    case KIND_LIST:
    case KIND_SET:
        return level < MAX_LEVELS && items_are_usual(node, value, level + 1);
    case KIND_MAP:
        if (level >= MAX_LEVELS || !PyDict_CheckExact(value))
            return 0;
        while (PyDict_Next(value, &at, &key, &item)) {
            Py_INCREF(key);
            Py_INCREF(item);
            int usual = is_usual(node->item, key, level + 1) && is_usual(node->value, item, level + 1);
            Py_DECREF(key);
            Py_DECREF(item);
            if (!usual)
                return 0;
        }
        return 1;
    default:
        return 0;
    }
}

/* The field that an argument names, or -1. They mostly come in the order of the file. */
static Py_ssize_t
field_named(const Plan *plan, PyObject *name, Py_ssize_t hint)
{
    for (Py_ssize_t i = hint; i < plan->count; i++)
        if (plan->fields[i].name == name)
            return i;
    for (Py_ssize_t i = 0; i < hint; i++)
        if (plan->fields[i].name == name)
            return i;
    if (!PyUnicode_CheckExact(name))
        return -1;
    for (Py_ssize_t i = 0; i < plan->count; i++) /* a name that was put together, and is not interned */
        if (PyUnicode_Compare(plan->fields[i].name, name) == 0)
            return i;
    return -1;
}

/* An instance with these arguments. NULL without an error: they are unusual. */
static PyObject *
construct(const Plan *plan, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    if (plan->count > MOST_FIELDS || count + named > plan->count || (plan->is_union && count))
        return NULL;
    PyObject *values[MOST_FIELDS];
    memset(values, 0, (size_t)plan->count * sizeof *values);
    for (Py_ssize_t i = 0; i < count; i++)
        values[plan->order[i]] = args[i];
    Py_ssize_t next = 0;
    for (Py_ssize_t i = 0; i < named; i++) {
        Py_ssize_t place = field_named(plan, PyTuple_GET_ITEM(names, i), next);
        if (place < 0 || values[place] != NULL)
            return NULL;
        values[place] = args[count + i];
        next = place + 1;
    }
    int given = 0;
    for (Py_ssize_t i = 0; i < plan->count; i++) {
        const struct field *field = &plan->fields[i];
        if (values[i] == NULL || values[i] == Py_None) {
            if (field->must)
                return NULL;
            values[i] = NULL;
        } else if (!is_usual(field->node, values[i], 0)) {
            return NULL;
        } else {
            given++;
        }
    }
    if (plan->is_union && given != 1 && (given || !plan->allow_empty || plan->has_default))
        return NULL;
    PyObject *instance = new_of(plan);
    if (instance == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < plan->count; i++) {
        const struct field *field = &plan->fields[i];
        PyObject *value;
        if (values[i] != NULL)
            value = Py_NewRef(values[i]);
        else if (plan->is_union)
            value = Py_NewRef(Py_None);
        else
            value = default_of(plan, field);
        if (value == NULL) {
            Py_DECREF(instance);
            return NULL;
        }
        set_slot(instance, field->offset, value);
    }
    return instance;
}

/* What a call of a class without a vectorcall does: type.__call__. */
static PyObject *
call_type(PyObject *type, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *made = NULL, *named = NULL, *positional = PyTuple_New(count);
    if (positional == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < count; i++)
        PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
    if (names != NULL && PyTuple_GET_SIZE(names) > 0) {
        if ((named = PyDict_New()) == NULL)
            goto done;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++)
            if (PyDict_SetItem(named, PyTuple_GET_ITEM(names, i), args[count + i]) < 0)
                goto done;
    }
    made = PyType_Type.tp_call(type, positional, named);
done:
    Py_DECREF(positional);
    Py_XDECREF(named);
    return made;
}

/* The __init__ of a class, called by name, or for an instance of a subclass. */
static PyObject *
call_init(PyObject *method, PyObject *const *args, size_t nargsf, PyObject *names)
{
    return call_twin(method, args, nargsf, names);
}

/* A call of the class. */
static PyObject *
call_class(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    PyObject *init = PyDict_GetItemWithError(((PyTypeObject *)type)->tp_dict, name_of_init);
    if (init == NULL && PyErr_Occurred())
        return NULL;
    /* Nobody has put another one there. */
    if (init != NULL && PyVectorcall_Function(init) == call_init) {
        PyObject *owner = Py_NewRef(((NativeMethod *)init)->owner);
        const Plan *plan = (const Plan *)owner;
        PyObject *made = NULL;
        if (plan->ready && (PyTypeObject *)type == plan->surface
            && plan->surface->tp_new == plan->made_by)
            made = construct(plan, args, count, names);
        Py_DECREF(owner);
        if (made != NULL || !may_be_retried())
            return made;
    }
    return call_type(type, args, count, names);
}

/* construct_by(plan, constructor): lets calls of the class come here, and gives what is to be its
 * __init__. */
PyObject *
thrift_construct_by(PyObject *module, PyObject *arguments)
{
    Plan *plan;
    PyObject *constructor;
    if (!PyArg_ParseTuple(arguments, "O!O:construct_by", module_state(module)->plan, &plan, &constructor))
        return NULL;
    if (!plan->ready)
        return PyErr_Format(PyExc_TypeError, "the plan is not filled");
    PyObject *method = new_native_method(module, call_init, constructor, plan, (PyObject *)plan);
    if (method != NULL)
        plan->surface->tp_vectorcall = call_class;
    return method;
}
